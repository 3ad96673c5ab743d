"""What a Job takes on a running cluster: apply to Running, apply to answer; memory of each process.

Times are those of a watch's own clock.
"""

import subprocess
import time
from pathlib import Path

from devtools import example, programs, release
from devtools.kubectl import Kubectl
from tests.support import processes
from tests.support.onboarded import Workspace

COMPONENTS = ("operator", "models", "egress")
POSTGRES = "postgres"
AGENT = "an agent's pod"
SLEEPER = "bench-memory"


def measure(kubectl: Kubectl, name: str) -> dict[str, float]:
    """Seconds from the start of kubectl apply until a watch sees each phase, for the example's Job."""
    job = kubectl.json("--namespace", example.WORKSPACE, "get", example.JOBS, "first-answer")
    manifest = {
        "apiVersion": job["apiVersion"],
        "kind": "Job",
        "metadata": {"name": name, "namespace": example.WORKSPACE},
        "spec": job["spec"],
    }
    words = [programs.tool("kubectl"), "--kubeconfig", kubectl.kubeconfig]
    words += ["--namespace", example.WORKSPACE, "get", example.JOBS, "--watch", "--output"]
    words += ["jsonpath={.metadata.name} {.status.phase}{'\\n'}"]
    seen: dict[str, float] = {}
    with subprocess.Popen(
        [str(word) for word in words], stdout=subprocess.PIPE, text=True
    ) as watch:
        assert watch.stdout is not None
        watch.stdout.readline()
        started = time.monotonic()
        kubectl.apply(manifest)
        for line in watch.stdout:
            found, _, phase = line.strip().partition(" ")
            if found != name:
                continue
            assert phase not in ("Failed", "Cancelled")
            seen.setdefault(phase, time.monotonic() - started)
            if phase == "Succeeded":
                break
        watch.terminate()
    kubectl.run("--namespace", example.WORKSPACE, "delete", example.JOBS, name, "--wait=false")
    return seen


def memory(kubectl: Kubectl) -> dict[str, float]:
    """Resident MB of each process of the platform; empty where the node is not this machine.

    The processes of Postgres share most of what they hold, so they are one figure in which it counts once.
    """
    found: dict[str, float] = {}
    for component in COMPONENTS:
        for each in processes.of_component(kubectl, release.NAMESPACE, component):
            name = f"{component}: {' '.join(Path(word).name for word in each.words[:3])}"
            found[name] = max(found.get(name, 0.0), each.resident_bytes / 1e6)
    servers = processes.of_component(kubectl, release.NAMESPACE, POSTGRES)
    if servers:
        found[f"{POSTGRES}: all"] = sum(each.proportional_bytes for each in servers) / 1e6
    return found


def agents_memory(kubectl: Kubectl) -> float:
    """Resident MB of all processes of an agent's pod while its program waits for a command.

    Only where the node is this machine. Raises ToolError if the command does not begin in time.
    """
    workspace = Workspace(kubectl, example.WORKSPACE)
    agent = workspace.get(example.JOBS, "first-answer")["spec"]["agentRef"]["name"]
    workspace.command(SLEEPER, agent, "sleep", "120")
    try:
        workspace.until(lambda: "" if _sleeping(workspace) else "the agent's command")
        return sum(each.resident_bytes for each in _sleeping(workspace)) / 1e6
    finally:
        workspace.run("delete", example.JOBS, SLEEPER)


def _sleeping(workspace: Workspace) -> list[processes.Process]:
    """All processes of the pod once its command runs; none before."""
    uids = [each["metadata"]["uid"] for each in workspace.pods_of(SLEEPER)]
    found = processes.of_pods(uids) if uids else []
    return found if any(Path(each.words[0]).name == "sleep" for each in found) else []
