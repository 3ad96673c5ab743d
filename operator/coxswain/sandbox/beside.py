"""An attempt in an image that knows nothing of us: its program, and beside it our door.

The door is a native sidecar. It alone mounts the token. The program starts only once the door holds
the run, and the kubelet ends it once the door says that it may not go on.
"""

from typing import Any

from coxswain import names
from coxswain.api import environment
from coxswain.api.agent import AgentSpec
from coxswain.api.contract import RunDocument
from coxswain.sandbox import limits, mounts, security, volumes
from coxswain.sandbox.mounts import Mounted
from coxswain.settings import SandboxSettings

# The door tries for two minutes to claim the run before it begins anew.
CLAIM_PROBES = 240
# A door that is started again, even for the third time, answers within this; so a program outlives it.
SILENT_PROBES, SILENT_SECONDS = 6, 10
# What a program of ours gets between SIGTERM and SIGKILL.
END_SECONDS = 5

Container = dict[str, Any]


def door(
    settings: SandboxSettings, environ: list[dict[str, str]], mounted: list[Mounted]
) -> Container:
    """Our container beside the program."""
    sizes = limits.door(settings)
    return {
        "name": names.DOOR_CONTAINER,
        "image": settings.agent_image,
        "imagePullPolicy": settings.agent_image_pull_policy,
        "args": ["door"],
        "env": environ,
        "resources": {"requests": sizes.requests, "limits": sizes.limits},
        "restartPolicy": "Always",
        "securityContext": security.of_container(),
        "startupProbe": _probe(names.SIGN_STARTED, failures=CLAIM_PROBES, seconds=1),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts.on_container(mounted),
        "workingDir": mounts.SCRATCH,
    }


def program(
    run: RunDocument,
    agent: AgentSpec,
    settings: SandboxSettings,
    mounted: list[Mounted],
    traceparent: str,
) -> Container:
    """The container of the image. Without a command its own entry point runs, in its own folder."""
    sizes = limits.sizes(agent, settings)
    command = command_of(run, agent)
    container: Container = {
        "name": names.AGENT_CONTAINER,
        "image": run.image,
        "env": [
            {"name": name, "value": value} for name, value in _environment(run, traceparent).items()
        ],
        "livenessProbe": {
            **_probe(names.SIGN_ALIVE, failures=SILENT_PROBES, seconds=SILENT_SECONDS),
            "terminationGracePeriodSeconds": END_SECONDS,
        },
        "resources": {"requests": sizes.requests, "limits": sizes.limits},
        "securityContext": security.of_container(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts.on_container(mounted),
    }
    if command is not None:
        container |= {"command": command, "workingDir": names.WORKSPACE_PATH}
    return container


def command_of(run: RunDocument, agent: AgentSpec) -> list[str] | None:
    """The Job's, or its type's; the Agent's own program for what only an agent can read."""
    if run.command is not None:
        return run.command
    is_for_agents = run.prompt is not None or bool(run.steps)
    return agent.runtime.command if is_for_agents and agent.runtime is not None else None


def of_door(run: RunDocument, agent: AgentSpec, files: list[Mounted]) -> list[Mounted]:
    """What the door mounts beside the token: where it puts the Job's files, and its type's input."""
    staged = [mounts.of_workspace(run, agent), *files] if files else []
    own = Mounted(volumes.door(), mounts.SCRATCH, is_read_only=False)
    return [own, *staged, *mounts.of_handed(run)]


def _environment(run: RunDocument, traceparent: str) -> dict[str, str]:
    found = environment.of_programs(
        names.run_id(run.job_uid, run.attempt),
        names.WORKSPACE_PATH,
        f"http://127.0.0.1:{names.DOOR_PORT}",
        f"http://127.0.0.1:{names.WEB_DOOR_PORT}",
        traceparent,
    )
    if run.type is not None:
        found |= {"COXSWAIN_INPUT": names.HANDED_INPUT, "COXSWAIN_OUTPUT": names.HANDED_OUTPUT}
    return found | {"HOME": names.WORKSPACE_PATH}


def _probe(path: str, *, failures: int, seconds: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": names.SIGNS_PORT},
        "failureThreshold": failures,
        "periodSeconds": seconds,
        "timeoutSeconds": 5,
    }
