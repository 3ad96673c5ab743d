"""The installation that `hack/up` and the cluster tests use: images, namespaces, both charts.

`helm upgrade --install` and server-side apply make each step safe to repeat after a kill.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from devtools import console, locks, patience, places, programs, shell
from devtools.images import base, catalog, store
from devtools.kubectl import Kubectl
from devtools.provider import Provider

NAME = "coxswain"
CRDS = "coxswain-crds"
NAMESPACE = "coxswain-system"
API, API_PORT = "coxswain-api", 8080
AUTHORITY_SECRET = "coxswain-inside-api"  # noqa: S105 - the name of a Secret
CHARTS = places.REPOSITORY / "charts"
ENFORCE = {"pod-security.kubernetes.io/enforce": "restricted"}
READY_SECONDS = 300.0


def images(cluster: Provider) -> dict[str, str]:
    """Build what changed and bring it to the cluster's nodes; the reference of each."""
    refs = {}
    for name in catalog.PROJECT:
        refs[name] = store.ensure(name)
        cluster.load(refs[name])
    return refs


def values(refs: Mapping[str, str], workspaces: Sequence[str]) -> dict[str, Any]:
    """The chart's values for a small cluster of one's own."""
    return {
        "mode": "dev",
        "image": dict(refs),
        "workspaces": [{"name": name} for name in workspaces],
        "postgres": {"storage": {"size": "1Gi"}},
        # An image that knows nothing of the platform, which the cluster has anyway.
        "agents": {"allowedImages": [base.NAME]},
    }


def install(kubectl: Kubectl, chosen: Mapping[str, Any]) -> None:
    """Install or upgrade both charts and wait until every pod of ours is ready."""
    # Two helms at once would meet in one release.
    with locks.held(places.cache() / "release.lock", "installing the charts"):
        _install(kubectl, chosen)


def _install(kubectl: Kubectl, chosen: Mapping[str, Any]) -> None:
    for namespace in (NAMESPACE, *(each["name"] for each in chosen.get("workspaces", []))):
        metadata = {"name": namespace, "labels": ENFORCE}
        kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    with console.step("helm upgrade --install coxswain-crds"):
        upgrade(kubectl, CRDS)
    with console.step("helm upgrade --install coxswain"), values_file(chosen) as path:
        upgrade(kubectl, NAME, "--values", path)
    _await_ready(kubectl)


def roll_back(kubectl: Kubectl) -> None:
    """Go back to the revision before, and wait as after an installation."""
    with console.step(f"helm rollback {NAME}"):
        _helm(kubectl, "rollback", NAME)
    _await_ready(kubectl)


def _await_ready(kubectl: Kubectl) -> None:
    with console.step("wait for the platform's pods"):
        patience.until(
            lambda: ", ".join(waiting(kubectl)) and _why(kubectl),
            READY_SECONDS,
            f"kubectl --namespace {NAMESPACE} describe pods says why one waits",
        )


def waiting(kubectl: Kubectl) -> list[str]:
    """The workloads of ours that are not as they should be."""
    found = kubectl.json("--namespace", NAMESPACE, "get", "deployments,statefulsets")["items"]
    return [each["metadata"]["name"] for each in found if not _is_rolled_out(each)]


def _why(kubectl: Kubectl) -> str:
    """The pods that are not ready, each with what its containers say."""
    found = kubectl.json("--namespace", NAMESPACE, "get", "pods")["items"]
    lines = []
    for pod in found:
        now = pod["status"]
        each = [*now.get("initContainerStatuses", []), *now.get("containerStatuses", [])]
        reasons = [f"{one['name']}: {_state(one)}" for one in each if _state(one)]
        if reasons:
            lines.append(f"{pod['metadata']['name']} ({', '.join(reasons)})")
    return ", ".join(lines) or "pods to be made"


def _state(container: dict[str, Any]) -> str:
    """Why a container is not as it should be; empty if it is."""
    state = container.get("state", {})
    if "terminated" in state:
        return "" if state["terminated"]["exitCode"] == 0 else str(state["terminated"]["reason"])
    if "waiting" in state:
        return str(state["waiting"].get("reason", "waiting"))
    return "" if container["ready"] or container.get("started") is None else "not ready"


def speaks_tls(kubectl: Kubectl) -> bool:
    """Whether the agents' port of the API, which is people's too, speaks TLS."""
    ports = kubectl.json("--namespace", NAMESPACE, "get", "service", API)["spec"]["ports"]
    protocols = [each.get("appProtocol") for each in ports if each["port"] == API_PORT]
    return protocols == ["https"]


def uninstall(kubectl: Kubectl) -> None:
    """Take the platform away; the kinds, the records' volume and the Secrets stay."""
    if status(kubectl, NAME):
        with console.step(f"helm uninstall {NAME}"):
            _helm(kubectl, "uninstall", NAME, "--wait")


def _is_rolled_out(workload: dict[str, Any]) -> bool:
    now, wanted = workload.get("status", {}), workload["spec"].get("replicas", 1)
    is_seen = now.get("observedGeneration", 0) >= workload["metadata"]["generation"]
    counts = [now.get(name, 0) for name in ("updatedReplicas", "readyReplicas", "replicas")]
    return is_seen and counts == [wanted, wanted, wanted]


def upgrade(kubectl: Kubectl, chart: str, *words: str | Path) -> None:
    """Bring the release to this chart; one that a killed helm left half-made is repaired first."""
    found = status(kubectl, chart)
    if found in ("pending-upgrade", "pending-rollback"):
        _helm(kubectl, "rollback", chart)
    elif found in ("pending-install", "uninstalling"):
        _helm(kubectl, "uninstall", chart, "--no-hooks", "--wait")
    _helm(kubectl, "upgrade", "--install", chart, CHARTS / chart, *words)


def status(kubectl: Kubectl, release: str) -> str:
    """What helm says of the release; empty if there is none."""
    found = json.loads(_helm(kubectl, "list", "--filter", f"^{release}$", "-o", "json"))
    return str(found[0]["status"]) if found else ""


def _helm(kubectl: Kubectl, *words: str | Path) -> str:
    place = ["--kubeconfig", str(kubectl.kubeconfig), "--namespace", NAMESPACE]
    return shell.run([programs.tool("helm"), *place, *words])


@contextmanager
def values_file(chosen: Mapping[str, Any]) -> Iterator[Path]:
    """The values as a file, for as long as helm reads it."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", prefix="coxswain-") as handle:
        json.dump(chosen, handle)
        handle.flush()
        yield Path(handle.name)
