"""Bugs that we put into our own code, one patch file each, and which tests find them.

A patch begins with three lines: ``Class:``, ``Bug:`` in plain words, and ``Caught by:`` with the files that are
to find it: of tests, or plans of the fault tester.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from devtools import places
from devtools.errors import ToolError

PATCHES = places.REPOSITORY / "tests" / "mutants" / "patches"
TIERS = ("architecture", "unit", "store", "apiserver", "faults")
"""The cheapest first."""


@dataclass(frozen=True)
class Mutant:
    """One bug."""

    name: str
    kind: str
    """Its class."""
    bug: str
    tests: tuple[str, ...]
    digest: str
    """Of its file: another one where the patch was made anew, or names other tests."""

    def of(self, tier: str) -> tuple[str, ...]:
        """The files of a tier that are to find it."""
        return tuple(each for each in self.tests if each.split("/")[1] == tier)

    @property
    def tiers(self) -> tuple[str, ...]:
        """Those that it names files of, the cheapest first."""
        return tuple(each for each in TIERS if self.of(each))

    @property
    def patch(self) -> Path:
        """Its file."""
        return PATCHES / f"{self.name}.patch"


def read(path: Path) -> Mutant:
    """A patch file. Raises ToolError that names what is missing, or is of no tier."""
    text, head = path.read_text(), dict[str, str]()
    for line in text.splitlines():
        if line.startswith("--- "):
            break
        key, colon, value = line.partition(": ")
        if colon:
            head[key] = value.strip()
    missing = [key for key in ("Class", "Bug", "Caught by") if not head.get(key)]
    if missing:
        raise ToolError(
            f"{path.name} says no {', '.join(missing)}",
            "it begins with lines Class:, Bug: and Caught by:",
        )
    tests = tuple(head["Caught by"].split())
    strange = [each for each in tests if not each.startswith(tuple(f"tests/{t}/" for t in TIERS))]
    if strange:
        raise ToolError(
            f"{path.name} is to be caught by {', '.join(strange)}",
            f"name files below tests/, of {', '.join(TIERS)}",
        )
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return Mutant(path.stem, head["Class"], head["Bug"], tests, digest)


def all_of_them(folder: Path = PATCHES) -> list[Mutant]:
    """Every mutant, by name."""
    return [read(path) for path in sorted(folder.glob("*.patch"))]


def chosen(only: Sequence[str]) -> list[Mutant]:
    """Those of these names, all if none is named."""
    known = all_of_them()
    unknown = set(only) - {each.name for each in known}
    if unknown:
        raise ToolError(
            f"no mutant {', '.join(sorted(unknown))}", "hack/faults score --list names them"
        )
    return [each for each in known if not only or each.name in only]
