"""Images in the node's containerd."""

from pathlib import Path

from devtools import console, programs, shell
from devtools.images import catalog, store
from devtools.node.settings import Node


def has(node: Node, ref: str) -> bool:
    """True if pods of the node can use the image."""
    return ref in _names(node)


def load(node: Node, ref: str, archive: Path) -> None:
    """Import an OCI archive unless the image is there; forget tags that the cache forgot."""
    names = _names(node)
    if ref in names:
        return
    with console.step(f"load {ref}"):
        shell.run([*_ctr(node), "images", "import", archive])
    image = ref.partition(":")[0]
    if image.startswith(catalog.PREFIX):
        of_image = [name for name in names if name.startswith(f"{image}:")]
        for old in (name for name in of_image if not store.archive(name).exists()):
            shell.run([*_ctr(node), "images", "remove", old])


def name(node: Node, ref: str, other: str) -> None:
    """Give a loaded image a second name."""
    shell.run([*_ctr(node), "images", "tag", "--force", ref, other])


def _names(node: Node) -> list[str]:
    return shell.run([*_ctr(node), "images", "list", "--quiet"]).split()


def _ctr(node: Node) -> list[str | Path]:
    program = programs.ensure("containerd") / "ctr"
    return [program, "--address", node.socket, "--namespace", "k8s.io"]
