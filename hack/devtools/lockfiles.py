"""The lock files: every package with its version and hashes, and no address of any package index.

The root lock holds everything a developer needs; an image's lock holds what its processes need, at the
same versions. Each opens with a digest of the requirements it was made from, so that a stale one is
noticed without asking an index.
"""

import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

from devtools import places, shell
from devtools.errors import ToolError

PROJECT = places.REPOSITORY / "pyproject.toml"
ROOT_LOCK = places.REPOSITORY / "requirements.lock"
DIGEST_LINE = "# made from: "


@dataclass(frozen=True)
class Lock:
    """One lock file: where it stands, what it covers, the Python it is for."""

    path: Path
    extras: tuple[str, ...]
    python: str
    is_constrained: bool

    @property
    def words(self) -> list[str]:
        """The resolver's arguments for it."""
        chosen = [word for extra in self.extras for word in ("--extra", extra)]
        if self.is_constrained:
            return [*chosen, "--constraints", str(ROOT_LOCK)]
        return ["--all-extras", "--group", "dev"]


def all_locks() -> tuple[Lock, ...]:
    """The root's first: the others are constrained by it."""
    images = places.REPOSITORY / "images"
    return (
        Lock(ROOT_LOCK, (), "3.11", is_constrained=False),
        Lock(
            images / "operator" / "requirements.lock",
            ("operator", "sidecar", "gateway", "traces", "build"),
            "3.13",
            is_constrained=True,
        ),
        Lock(images / "agent" / "requirements.lock", ("agent",), "3.13", is_constrained=True),
    )


def digest() -> str:
    """A hash of every requirement that stands in pyproject.toml."""
    document = tomllib.loads(PROJECT.read_text())
    project = document["project"]
    parts = [
        project["requires-python"],
        project["dependencies"],
        project["optional-dependencies"],
        document["dependency-groups"],
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def stale() -> list[Path]:
    """The locks that were made from other requirements than those of today."""
    wanted = DIGEST_LINE + digest()
    return [
        lock.path
        for lock in all_locks()
        if not lock.path.is_file() or lock.path.read_text().partition("\n")[0] != wanted
    ]


def require_fresh() -> None:
    """Refuse to go on with a lock that is not of today's requirements."""
    old = [str(path.relative_to(places.REPOSITORY)) for path in stale()]
    if old:
        raise ToolError(
            f"pyproject.toml asks for other packages than {', '.join(old)}", "run hack/lock"
        )


def write(uv: Path, *, upgrade: bool) -> None:
    """Resolve and write every lock; versions that still fit are kept unless `upgrade`."""
    for lock in all_locks():
        words: list[str | Path] = [
            uv,
            "pip",
            "compile",
            PROJECT,
            "--universal",
            "--generate-hashes",
        ]
        words += ["--python-version", lock.python, "--no-emit-index-url", "--no-header"]
        words += ["--no-annotate", "--quiet", "--output-file", lock.path, *lock.words]
        if upgrade and not lock.is_constrained:
            words.append("--upgrade")
        shell.run(words, cwd=places.REPOSITORY)
        body = lock.path.read_text()
        lock.path.write_text(f"{DIGEST_LINE}{digest()}\n# by: hack/lock\n{body}")
