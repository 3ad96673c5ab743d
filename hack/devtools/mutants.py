"""Bugs that we put into our own code, one patch file each, and which tests find them.

A patch begins with three lines: ``Class:``, ``Bug:`` in plain words, and ``Caught by:`` with the test
files that are to fail. ``score`` puts one after the other into a copy of the tree, runs those files
there, the fast ones first, and tells who found it.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devtools import console, environment, places, programs, tiers
from devtools.errors import ToolError

PATCHES = places.REPOSITORY / "tests" / "mutants" / "patches"
SOURCE_ROOTS = ("operator", "controllers", "images/agent", "hack", "")
ORDER = ("architecture", "unit", "store", "apiserver", "cluster")
FOUND, MISSED = 1, 0


@dataclass(frozen=True)
class Mutant:
    """One bug."""

    name: str
    kind: str
    """Its class."""
    bug: str
    tests: tuple[str, ...]

    def of(self, tier: str) -> tuple[str, ...]:
        """The files of a tier that are to find it."""
        return tuple(each for each in self.tests if each.split("/")[1] == tier)

    @property
    def patch(self) -> Path:
        """Its file."""
        return PATCHES / f"{self.name}.patch"


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: the tier that found it; ``survived``, ``not tried`` or ``broken``."""

    mutant: Mutant
    word: str

    @property
    def is_caught(self) -> bool:
        """Whether a test failed."""
        return self.word in ORDER


def read(path: Path) -> Mutant:
    """A patch file. Raises ToolError that names what is missing."""
    head: dict[str, str] = {}
    for line in path.read_text().splitlines():
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
    return Mutant(path.stem, head["Class"], head["Bug"], tuple(head["Caught by"].split()))


def all_of_them(folder: Path = PATCHES) -> list[Mutant]:
    """Every mutant, by name."""
    return [read(path) for path in sorted(folder.glob("*.patch"))]


def chosen(only: Sequence[str]) -> list[Mutant]:
    """Those of these names, all if none is named."""
    known = all_of_them()
    unknown = set(only) - {each.name for each in known}
    if unknown:
        raise ToolError(f"no mutant {', '.join(sorted(unknown))}", "hack/mutants list names them")
    return [each for each in known if not only or each.name in only]


def score(only: Sequence[str], names_of_tiers: Sequence[str]) -> list[Verdict]:
    """Try them, and say a line about each."""
    wanted = [tier for tier in ORDER if not names_of_tiers or tier in names_of_tiers]
    if set(names_of_tiers) - set(ORDER):
        raise ToolError(f"no tier {', '.join(names_of_tiers)}", f"tiers: {', '.join(ORDER)}")
    environment.ensure()
    mutants = chosen(only)
    _ensure_programs(mutants, wanted)
    found = []
    with _copy() as tree:
        for mutant in mutants:
            found.append(Verdict(mutant, _try(tree, mutant, wanted)))
            console.say(f"  {found[-1].word:12}  {mutant.name}")
    return found


def summary(found: Iterable[Verdict]) -> list[str]:
    """Caught of all that were tried, by which tier, and who survived."""
    tried = [each for each in found if each.word != "not tried"]
    caught = [each for each in tried if each.is_caught]
    lines = [f"caught {len(caught)} of {len(tried)}"]
    for tier in ORDER:
        number = sum(each.word == tier for each in caught)
        if number:
            lines.append(f"  by {tier}: {number}")
    lines += [
        f"  {each.word}: {each.mutant.name}: {each.mutant.bug}"
        for each in tried
        if not each.is_caught
    ]
    return lines


def _ensure_programs(mutants: Sequence[Mutant], wanted: Sequence[str]) -> None:
    for tier in wanted:
        if tier in tiers.BY_NAME and any(each.of(tier) for each in mutants):
            for group in tiers.BY_NAME[tier].programs:
                programs.ensure(group)


def _try(tree: Path, mutant: Mutant, wanted: Sequence[str]) -> str:
    files = {tier: mutant.of(tier) for tier in wanted}
    if not any(files.values()):
        return "not tried"
    _apply(tree, mutant)
    try:
        for tier, names in files.items():
            if not names:
                continue
            code = _pytest(tree, names)
            if code == FOUND:
                return tier
            if code != MISSED:
                return "broken"
    finally:
        _apply(tree, mutant, "--reverse")
    return "survived"


@contextmanager
def _copy() -> Iterator[Path]:
    """A copy of what is kept in git, as it stands here."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=places.REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    with tempfile.TemporaryDirectory(prefix="coxswain-mutants-") as folder:
        tree = Path(folder)
        for name in filter(None, listed.stdout.split("\0")):
            if (places.REPOSITORY / name).exists():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(places.REPOSITORY / name, tree / name)
        yield tree


def _apply(tree: Path, mutant: Mutant, *more: str) -> None:
    done = subprocess.run(
        ["git", "apply", *more, str(mutant.patch)],
        cwd=tree,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ToolError(f"{mutant.name} does not apply: {done.stderr.strip()}", "make it anew")


def _pytest(tree: Path, names: Sequence[str]) -> int:
    words = [environment.program("python"), "-m", "pytest", "-q", "-x", "-n", "0"]
    words += ["-p", "no:cacheprovider", *names]
    done = subprocess.run(
        [str(word) for word in words],
        cwd=tree,
        env=_variables(tree),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode


def _variables(tree: Path) -> Mapping[str, str]:
    """The copy's sources go before those that the environment was made for."""
    roots = os.pathsep.join(str(tree / root) for root in SOURCE_ROOTS)
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONPYCACHEPREFIX"}
    return {**kept, "PYTHONPATH": roots, "PYTHONDONTWRITEBYTECODE": "1"}
