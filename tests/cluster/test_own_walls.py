"""Who reaches the platform's own pods: a stranger's pod meets closed doors, on a real node."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from devtools import patience, release
from devtools.images import catalog
from devtools.kubectl import Kubectl
from devtools.tiers import WORKSPACES

STRANGERS = WORKSPACES[1]
POD = "stranger"
END_SECONDS = 60.0
# Tries every address for two seconds, all at once, and prints which of them took the connection.
PROGRAM = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def takes(target):
    host, _, port = target.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except OSError:
        return False
    return True
targets = sys.argv[1:]
with ThreadPoolExecutor(len(targets)) as pool:
    taken = list(pool.map(takes, targets))
print(json.dumps([target for target, is_taken in zip(targets, taken) if is_taken]))
"""


def _address(kubectl: Kubectl, component: str) -> str:
    """The address of one pod of a component."""
    selector = f"app.kubernetes.io/component={component}"
    place = ("--namespace", release.NAMESPACE)
    pods = kubectl.json(*place, "get", "pods", "--selector", selector)["items"]
    # One that an upgrade is ending still says Running.
    staying = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    return str(staying[0]["status"]["podIP"])


def _manifest(targets: list[str], labels: dict[str, str]) -> dict[str, Any]:
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    amounts = {"cpu": "50m", "memory": "64Mi", "ephemeral-storage": "16Mi"}
    most = {**amounts, "cpu": "500m"}
    container = {
        "name": "try",
        "image": catalog.find("operator").ref,
        "command": ["python3", "-c", PROGRAM, *targets],
        "securityContext": security,
        "resources": {"requests": amounts, "limits": most},
    }
    spec = {
        "restartPolicy": "Never",
        "containers": [container],
        "automountServiceAccountToken": False,
    }
    metadata = {"name": POD, "namespace": STRANGERS, "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _ended(kubectl: Kubectl) -> str:
    phase = kubectl.json("--namespace", STRANGERS, "get", "pod", POD)["status"]["phase"]
    assert phase != "Failed"
    return "" if phase == "Succeeded" else f"the stranger's pod, which is {phase}"


def _reached(kubectl: Kubectl, targets: list[str], labels: dict[str, str]) -> list[str]:
    kubectl.apply(_manifest(targets, labels))
    patience.until(lambda: _ended(kubectl), END_SECONDS)
    found: list[str] = json.loads(kubectl.run("--namespace", STRANGERS, "logs", POD))
    return found


@pytest.fixture(autouse=True)
def no_stranger_stays(kubectl: Kubectl) -> Iterator[None]:
    yield
    kubectl.run("--namespace", STRANGERS, "delete", "pod", POD, "--ignore-not-found", "--now")


def test_a_strangers_pod_reaches_metrics_but_no_door_and_no_database(kubectl: Kubectl) -> None:
    operator, models = _address(kubectl, "operator"), _address(kubectl, "models")
    web, database = _address(kubectl, "egress"), _address(kubectl, "postgres")
    # The metrics of the same pods show that the way to them is there.
    open_ports = [f"{operator}:9090", f"{operator}:9091", f"{models}:9090", f"{web}:9090"]
    closed = [f"{operator}:8080", f"{models}:8081", f"{web}:8082", f"{database}:5432"]
    assert _reached(kubectl, [*open_ports, *closed], {}) == open_ports


def test_a_pod_labelled_as_an_agents_reaches_the_doors_and_nothing_else(kubectl: Kubectl) -> None:
    operator, models = _address(kubectl, "operator"), _address(kubectl, "models")
    web, database = _address(kubectl, "egress"), _address(kubectl, "postgres")
    doors = [f"{operator}:8080", f"{models}:8081", f"{web}:8082"]
    closed = [f"{operator}:9090", f"{models}:9090", f"{web}:9090", f"{database}:5432"]
    assert _reached(kubectl, [*doors, *closed], {"coxswain.dev/agent": "x"}) == doors
