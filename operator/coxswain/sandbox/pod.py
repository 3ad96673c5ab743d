"""The pod of one attempt. Same input, same manifest; nothing an Agent or Job says can open it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from coxswain import names
from coxswain.api.agent import AgentSpec
from coxswain.api.contract import RunDocument
from coxswain.api.job import JobFile
from coxswain.sandbox import doors, limits, security, volumes
from coxswain.sandbox.doors import Doors
from coxswain.sandbox.volumes import Volume, owned_by
from coxswain.settings import SandboxSettings


@dataclass(frozen=True, slots=True)
class Platform:
    """What all agent pods of an installation have in common."""

    installation: str
    doors: Doors
    settings: SandboxSettings
    service_account: str = names.AGENT_SERVICE_ACCOUNT
    default_queues: tuple[str, ...] = (names.DEFAULT_QUEUE,)
    """The queues of Agents that name none."""


@dataclass(frozen=True, slots=True)
class PodRequest:
    """One attempt as it was resolved."""

    run: RunDocument
    agent: AgentSpec
    files: tuple[JobFile, ...] = ()
    runtime_class: str | None = None
    """What ``runtime.choose`` said."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """More labels of the pod."""


@dataclass(frozen=True, slots=True)
class _Mounted:
    volume: Volume
    path: str
    is_read_only: bool = True


def build(request: PodRequest, platform: Platform) -> dict[str, Any]:
    """The finished manifest."""
    run = request.run
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": names.attempt_pod(run.job_name, run.job_uid, run.attempt),
            "namespace": run.workspace,
            "labels": {**request.labels, **_labels(run, platform.installation)},
            "annotations": {"kubectl.kubernetes.io/default-container": names.AGENT_CONTAINER},
            "ownerReferences": [owned_by("Job", run.job_name, run.job_uid)],
        },
        "spec": _spec(request, platform),
    }


def _labels(run: RunDocument, installation: str) -> dict[str, str]:
    return {
        names.LABEL_AGENT: run.agent_name,
        names.LABEL_JOB: run.job_name,
        names.LABEL_ATTEMPT: str(run.attempt),
        names.LABEL_INSTALLATION: installation,
        names.LABEL_MANAGED_BY: names.MANAGER,
        names.LABEL_PART_OF: names.MANAGER,
        names.LABEL_COMPONENT: names.COMPONENT_AGENT,
    }


def _spec(request: PodRequest, platform: Platform) -> dict[str, Any]:
    mounted = _mounted(request, platform)
    spec: dict[str, Any] = {
        "activeDeadlineSeconds": limits.deadline_seconds(request.run),
        "automountServiceAccountToken": False,
        "containers": [_container(request, platform, mounted)],
        "dnsConfig": {"nameservers": ["127.0.0.1"]},
        "dnsPolicy": "None",
        "enableServiceLinks": False,
        "hostAliases": doors.aliases(platform.doors),
        "priorityClassName": names.AGENT_PRIORITY_CLASS,
        "restartPolicy": "Never",
        "securityContext": security.of_pod(request.agent.sandbox),
        "serviceAccountName": platform.service_account,
        "terminationGracePeriodSeconds": limits.GRACE_SECONDS,
        "volumes": [each.volume for each in mounted],
        **{name: value for name, value in request.agent.scheduling.to_wire().items() if value},
    }
    if request.runtime_class is not None:
        spec["runtimeClassName"] = request.runtime_class
    return spec


def _container(request: PodRequest, platform: Platform, mounted: list[_Mounted]) -> dict[str, Any]:
    sizes = limits.sizes(request.agent, platform.settings)
    return {
        "name": names.AGENT_CONTAINER,
        "image": platform.settings.agent_image,
        "imagePullPolicy": platform.settings.agent_image_pull_policy,
        "env": [{"name": k, "value": v} for k, v in _environment(request.run, platform).items()],
        "resources": {"requests": sizes.requests, "limits": sizes.limits},
        "securityContext": security.of_container(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": each.volume["name"], "mountPath": each.path, "readOnly": each.is_read_only}
            for each in mounted
        ],
        "workingDir": names.WORKSPACE_PATH,
    }


def _environment(run: RunDocument, platform: Platform) -> dict[str, str]:
    return {
        "COXSWAIN_URL": platform.doors.platform.url,
        "COXSWAIN_MODELS_URL": platform.doors.models.url,
        "COXSWAIN_EGRESS_URL": platform.doors.web.url,
        "COXSWAIN_TOKEN_FILE": names.TOKEN_FILE,
        "COXSWAIN_RUN": names.run_id(run.job_uid, run.attempt),
        "COXSWAIN_WORKSPACE": names.WORKSPACE_PATH,
        "HOME": names.WORKSPACE_PATH,
    }


def _mounted(request: PodRequest, platform: Platform) -> list[_Mounted]:
    run, agent = request.run, request.agent
    claim_name = names.workspace_claim(run.agent_name, run.agent_uid)
    found = [
        _Mounted(volumes.workspace(agent, claim_name), names.WORKSPACE_PATH, is_read_only=False),
        _Mounted(volumes.scratch(platform.settings.agent_tmp_size), "/tmp", is_read_only=False),  # noqa: S108 - the pod's own
        _Mounted(volumes.identity(platform.installation), names.TOKEN_DIRECTORY),
    ]
    if request.files:
        found.append(_Mounted(volumes.files(request.files), names.FILES_PATH))
    if agent.instructions is not None and agent.instructions.config_map is not None:
        key = agent.instructions.config_map
        found.append(_Mounted(volumes.instructions(key), names.INSTRUCTIONS_PATH))
    return found
