"""Pods without any guard, in a namespace of their own: they show that what agents are refused is there."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from devtools import patience
from devtools.images import catalog
from devtools.kubectl import Kubectl

END_SECONDS = 60.0
Body = dict[str, Any]


class Outside:
    """A namespace without policy, quota or Pod Security."""

    def __init__(self, kubectl: Kubectl, name: str) -> None:
        self.name = name
        self._kubectl = kubectl

    def pod(self, name: str, words: list[str], *, privileged: bool = False) -> Body:
        """The manifest of a pod that runs a program in the agents' own image."""
        return manifest(self.name, name, words, privileged=privileged)

    def start(self, name: str, words: list[str], *, privileged: bool = False) -> None:
        """Make the pod."""
        self._kubectl.apply(self.pod(name, words, privileged=privileged))

    def ready(self, name: str) -> str:
        """Wait until it runs; its address."""
        self._wait(name, ("Running",))
        return str(self._pod(name)["status"]["podIP"])

    def printed(self, name: str) -> Any:
        """Wait for its end; what it printed, as JSON."""
        self._wait(name, ("Succeeded",))
        return json.loads(self._kubectl.run("--namespace", self.name, "logs", name))

    def _wait(self, name: str, phases: tuple[str, ...]) -> None:
        def pending() -> str:
            phase = self._pod(name)["status"]["phase"]
            assert phase != "Failed", self._kubectl.run("--namespace", self.name, "logs", name)
            return "" if phase in phases else f"pod {name}, which is {phase}"

        patience.until(pending, END_SECONDS)

    def _pod(self, name: str) -> Body:
        return self._kubectl.json("--namespace", self.name, "get", "pod", name)


def manifest(namespace: str, name: str, words: list[str], *, privileged: bool = False) -> Body:
    """A pod that runs a program; privileged: as root of the whole machine."""
    container: Body = {
        "name": "main",
        "image": catalog.find("agent").ref,
        "command": words,
    }
    spec: Body = {
        "automountServiceAccountToken": False,
        "containers": [container],
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 0,
    }
    if privileged:
        container["securityContext"] = {"privileged": True, "runAsUser": 0}
        container["volumeMounts"] = [{"name": "machine", "mountPath": "/machine"}]
        spec["volumes"] = [{"name": "machine", "hostPath": {"path": "/"}}]
        spec["hostPID"] = True
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


@contextmanager
def outside(kubectl: Kubectl) -> Iterator[Outside]:
    """The namespace, made and taken away."""
    name = f"outside-{secrets.token_hex(3)}"
    kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    try:
        yield Outside(kubectl, name)
    finally:
        kubectl.run("delete", "namespace", name, "--wait=false")
