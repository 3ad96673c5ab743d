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


@dataclass(frozen=True)
class ToolLock:
    """The lock of a program with an environment of its own, and what it was made from."""

    wanted: Path

    @property
    def lock(self) -> Path:
        """Where it stands."""
        return self.wanted.with_suffix(".lock")

    def digest(self) -> str:
        """A hash of what is wanted."""
        return hashlib.sha256(self.wanted.read_bytes()).hexdigest()[:16]

    def is_stale(self) -> bool:
        """Whether it is missing or made from something else."""
        first = self.lock.read_text().partition("\n")[0] if self.lock.is_file() else ""
        return first != DIGEST_LINE + self.digest()


CHECKOV = ToolLock(places.REPOSITORY / "hack" / "gates" / "checkov" / "requirements.in")
FORM = ("--universal", "--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate")


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
        words = ["--python-version", lock.python, *lock.words]
        if upgrade and not lock.is_constrained:
            words.append("--upgrade")
        _compile(uv, PROJECT, lock.path, words, digest())
    more = ["--python-version", "3.11", *(["--upgrade"] if upgrade else [])]
    _compile(uv, CHECKOV.wanted, CHECKOV.lock, more, CHECKOV.digest())


def _compile(uv: Path, wanted: Path, lock: Path, words: list[str], made_from: str) -> None:
    command: list[str | Path] = [uv, "pip", "compile", wanted, *FORM, "--quiet"]
    shell.run([*command, "--output-file", lock, *words], cwd=places.REPOSITORY)
    lock.write_text(f"{DIGEST_LINE}{made_from}\n# by: hack/lock\n{lock.read_text()}")
