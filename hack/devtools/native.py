"""The native single node, as a provider."""

from pathlib import Path

from devtools.errors import ToolError
from devtools.images import store
from devtools.node import lifecycle, preflight, runtime, settings


class Native:
    """The node of this machine."""

    name = "native node"

    def up(self) -> None:
        """Start or repair it."""
        preflight.require_machine()
        lifecycle.up(settings.current())

    def down(self) -> None:
        """Stop it and leave nothing behind."""
        preflight.require_root()
        lifecycle.down(settings.current())

    def status(self) -> dict[str, bool]:
        """Its components."""
        preflight.require_root()
        return lifecycle.status(settings.current())

    def load(self, ref: str) -> None:
        """Import one of our images from the cache, or any OCI archive file."""
        preflight.require_root()
        node = settings.current()
        archive = Path(ref) if Path(ref).is_file() else store.archive(ref)
        if not archive.is_file():
            raise ToolError(f"no built image {ref}", "build it with hack/images")
        runtime.load(node, ref, archive)

    def kubeconfig(self) -> Path:
        """The administrator's."""
        return settings.current().admin
