"""A kind cluster, where a container engine answers.

Written from kind's manual and not run: where this was written no engine answers.
kind's own network plugin enforces NetworkPolicy, and it brings DNS and a default StorageClass.
"""

import json
from pathlib import Path
from typing import Any

from devtools import console, places, programs, shell

NAME = "coxswain"
POD_PIDS = 256
# As kind 0.33.0 names it, the version in hack/node/kind; its own default is another Kubernetes.
NODE_IMAGE = (
    "kindest/node:v1.36.4@sha256:099e049362a1526b2db71494e1947aae99bd16290d7c895f2b7ea312e3cbfaed"
)

CONFIG: dict[str, Any] = {
    "kind": "Cluster",
    "apiVersion": "kind.x-k8s.io/v1alpha4",
    "nodes": [{"role": "control-plane", "image": NODE_IMAGE}],
    "kubeadmConfigPatches": [
        json.dumps(
            {
                "kind": "KubeletConfiguration",
                "apiVersion": "kubelet.config.k8s.io/v1beta1",
                "podPidsLimit": POD_PIDS,
            }
        )
    ],
}


class Kind:
    """One cluster with a fixed name; other kind clusters are left alone."""

    name = "kind cluster"

    def up(self) -> None:
        """Create it unless it is there and answers."""
        if self._exists():
            if self.status()["API"]:
                return
            # A half-made cluster cannot be repaired, only made again.
            self.down()
        config = self.kubeconfig().with_name("kind.json")
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(json.dumps(CONFIG))
        with console.step("create a kind cluster"):
            words: list[str | Path] = ["create", "cluster", "--config", config, "--wait", "120s"]
            self._kind(*words, "--kubeconfig", self.kubeconfig(), "--name", NAME)

    def down(self) -> None:
        """Delete it."""
        with console.step("delete the kind cluster"):
            self._kind("delete", "cluster", "--name", NAME, "--kubeconfig", self.kubeconfig())

    def status(self) -> dict[str, bool]:
        """Whether it exists and its API answers."""
        if not self._exists():
            return {}
        words = ["--kubeconfig", str(self.kubeconfig()), "get", "--raw", "/readyz"]
        return {"API": shell.answers([programs.tool("kubectl"), *words])}

    def load(self, ref: str) -> None:
        """Copy an image from the engine to the node; kind skips what is there."""
        with console.step(f"load {ref}"):
            self._kind("load", "docker-image", ref, "--name", NAME)

    def kubeconfig(self) -> Path:
        """A file of our own, so that the person's is never changed."""
        return places.cache() / "kind" / "kubeconfig"

    def _exists(self) -> bool:
        return NAME in self._kind("get", "clusters").split()

    def _kind(self, *words: str | Path) -> str:
        return shell.run([programs.tool("kind"), *words])
