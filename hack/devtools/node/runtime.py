"""Images in the node's containerd."""

from pathlib import Path

from devtools import console, programs, shell
from devtools.node.settings import Node


def has(node: Node, ref: str) -> bool:
    """True if pods of the node can use the image."""
    return ref in shell.run([*_ctr(node), "images", "list", "--quiet"]).split()


def load(node: Node, ref: str, archive: Path) -> None:
    """Import an OCI archive unless the image is there."""
    if has(node, ref):
        return
    with console.step(f"load {ref}"):
        shell.run([*_ctr(node), "images", "import", archive])


def name(node: Node, ref: str, other: str) -> None:
    """Give a loaded image a second name."""
    shell.run([*_ctr(node), "images", "tag", "--force", ref, other])


def _ctr(node: Node) -> list[str | Path]:
    program = programs.ensure("containerd") / "ctr"
    return [program, "--address", node.socket, "--namespace", "k8s.io"]
