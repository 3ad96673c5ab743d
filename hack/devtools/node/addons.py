"""What runs inside the cluster: policy objects, DNS, volumes; applied again by every `up`."""

import functools
import json
import string
from collections.abc import Mapping
from pathlib import Path

from devtools import console, places, programs, shell
from devtools.errors import ToolError
from devtools.node import credentials, settings
from devtools.node.settings import Node

MANIFESTS = places.GROUPS / "manifests"
DEPLOYMENTS = (("kube-system", "coredns"), ("local-path-storage", "local-path-provisioner"))


class Kubectl:
    """kubectl as the administrator of the node."""

    def __init__(self, node: Node) -> None:
        """Use the built kubectl, which fits the server."""
        program = programs.ensure("kubernetes") / "kubectl"
        self._words = [str(program), "--kubeconfig", str(node.admin)]

    def __call__(self, *words: str | Path, stdin: str | None = None) -> str:
        """Run a command and return its output."""
        return shell.run([*self._words, *words], stdin=stdin)

    def apply(self, *words: str | Path, stdin: str | None = None) -> None:
        """Server-side, so that applying again changes nothing."""
        flags = ("--server-side", "--force-conflicts", "--field-manager=coxswain-node")
        self("apply", *flags, *words, stdin=stdin)


def apply_policy(kubectl: Kubectl) -> None:
    """Calico's kinds, rights and switch; Felix waits for them."""
    kinds = programs.share("calico") / "crd"
    kubectl.apply("--filename", kinds)
    kubectl("wait", "--for=condition=Established", "--timeout=30s", "--filename", kinds)
    kubectl.apply("--filename", "-", stdin=render("calico", {}))


def apply(kubectl: Kubectl, images: Mapping[str, str], node: Node) -> None:
    """DNS and volumes."""
    values = {
        "coredns": images["coredns"],
        "local_path": images["local-path"],
        "base": images["base"],
        "volumes": str(node.volumes),
    }
    for name in ("coredns", "local-path"):
        kubectl.apply("--filename", "-", stdin=render(name, values))


def render(name: str, values: Mapping[str, str]) -> str:
    """A manifest with its placeholders filled in; an unknown one is an error."""
    text = string.Template((MANIFESTS / f"{name}.yaml").read_text())
    fixed = {
        "calico_user": credentials.CALICO_USER,
        "dns_service": settings.DNS_SERVICE,
        "domain": settings.DOMAIN,
    }
    return text.substitute({**fixed, **values})


def await_ready(kubectl: Kubectl) -> None:
    """The node is Ready and open to pods, and the deployments are available."""

    def node_ready() -> bool:
        return conditions(kubectl, "node", settings.NAME).get("Ready") == "True"

    console.wait("the node to be Ready", node_ready, 60, "see the kubelet's log")
    # There is no other: left closed by a drain that was cut short, nothing would ever start.
    kubectl("uncordon", settings.NAME)
    for namespace, name in DEPLOYMENTS:
        hint = f"kubectl --namespace {namespace} describe pods"
        ready = functools.partial(available, kubectl, namespace, name)
        console.wait(f"{name} to run", ready, 90, hint)


def available(kubectl: Kubectl, namespace: str, name: str) -> bool:
    """True if a deployment's newest pods serve."""
    try:
        found = json.loads(
            kubectl("get", "deployment", name, "--namespace", namespace, "--output=json")
        )
    except ToolError:
        return False
    status, generation = found.get("status", {}), found["metadata"]["generation"]
    return bool(
        status.get("observedGeneration") == generation
        and status.get("updatedReplicas", 0) == status.get("replicas", 0)
        and status.get("availableReplicas", 0) >= 1
    )


def conditions(kubectl: Kubectl, kind: str, name: str) -> dict[str, str]:
    """Conditions of an object by type; none if it is not there."""
    try:
        found = json.loads(kubectl("get", kind, name, "--output=json"))
    except ToolError:
        return {}
    return {each["type"]: each["status"] for each in found["status"].get("conditions", [])}
