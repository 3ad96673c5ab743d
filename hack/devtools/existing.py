"""A cluster that somebody else made and named; we only look at it."""

from pathlib import Path

from devtools import console, programs, shell
from devtools.errors import ToolError


class Existing:
    """The cluster of a kubeconfig file."""

    name = "existing cluster"

    def __init__(self, file: Path) -> None:
        """Name it; nothing is asked yet."""
        self._file = file

    def up(self) -> None:
        """Check that it answers."""
        if not self._file.exists():
            raise ToolError(f"no kubeconfig at {self._file}", "is COXSWAIN_KUBECONFIG right?")
        with console.step(f"reach the cluster of {self._file}"):
            shell.run([*self._kubectl(), "get", "--raw", "/readyz"], hint="is the cluster up?")

    def down(self) -> None:
        """Leave it alone."""
        console.say("this cluster was not made by hack/cluster; it stays")

    def status(self) -> dict[str, bool]:
        """Whether the API answers."""
        return {"API": shell.answers([*self._kubectl(), "get", "--raw", "/readyz"])}

    def load(self, ref: str) -> None:
        """Refuse, because only its registry can bring images to its nodes."""
        raise ToolError(
            f"{ref} cannot be loaded into a cluster that hack/cluster did not make",
            "push it to a registry that the cluster can pull from, and set the chart's image values",
        )

    def kubeconfig(self) -> Path:
        """The file that was named."""
        return self._file

    def _kubectl(self) -> list[str | Path]:
        words = ["--kubeconfig", str(self._file), "--request-timeout=10s"]
        return [programs.tool("kubectl"), *words]
