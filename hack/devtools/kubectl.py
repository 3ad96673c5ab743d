"""kubectl against one cluster, by its kubeconfig and never by the person's own."""

import json
from pathlib import Path
from typing import Any

from devtools import programs, shell


class Kubectl:
    """The client of one cluster."""

    def __init__(self, kubeconfig: Path) -> None:
        """Name the cluster; nothing is asked yet."""
        self.kubeconfig = kubeconfig

    def run(self, *words: str | Path, stdin: str | None = None) -> str:
        """Run and return stdout; raises ToolError with what kubectl said."""
        return shell.run(self._words(*words), stdin=stdin)

    def answers(self, *words: str | Path) -> bool:
        """True if the command ends well."""
        return shell.answers(self._words(*words))

    def json(self, *words: str | Path) -> dict[str, Any]:
        """Run with JSON output."""
        found: dict[str, Any] = json.loads(self.run(*words, "--output", "json"))
        return found

    def apply(self, manifest: dict[str, Any]) -> None:
        """Apply one object, server-side, as the field manager of these scripts."""
        words = ["apply", "--server-side", "--field-manager", "coxswain-hack", "--filename", "-"]
        self.run(*words, stdin=json.dumps(manifest))

    def _words(self, *words: str | Path) -> list[str | Path]:
        return [programs.tool("kubectl"), "--kubeconfig", self.kubeconfig, *words]
