"""How a seeded bug is tried: in a copy of the tree, by the tests that are to find it, the cheapest first.

Whatever the tests say of a bug counts only where they are well without it.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from devtools import environment, places
from devtools.errors import ToolError
from devtools.mutants import TIERS, Mutant

WELL, RED, TOO_LONG = 0, 1, 124
SURVIVED = "survived"
OPEN = {
    "too long": "a test took longer than it may",
    "broken": "its tests could not be run",
    "red anyway": "its tests are red without it, too",
    "not found": "not found by these tiers; others were not asked",
    "not tried": "names no tests of these tiers",
}
"""What is no verdict, and why: it is tried again."""
SOURCE_ROOTS = ("operator", "controllers", "images/agent", "hack", "")
ENDING_SECONDS = 30


class Bench(Protocol):
    """Where bugs are put in and tests run."""

    def run(self, files: Sequence[str]) -> int:
        """Run tests and plans: WELL, RED, TOO_LONG, or another code where they could not be run."""

    def bug(self, mutant: Mutant) -> AbstractContextManager[object]:
        """The bug is in for the length of a block."""


class Trial:
    """Tries one bug after the other, and remembers which files are well without any."""

    def __init__(self, bench: Bench, wanted: Sequence[str] = TIERS) -> None:
        """``wanted``: the tiers that may be asked."""
        self._bench = bench
        self._wanted = wanted
        self._well: set[str] = set()

    def of(self, mutant: Mutant) -> str:
        """Who found it: a tier; SURVIVED where none of its own did; else a word of OPEN."""
        asked = [tier for tier in mutant.tiers if tier in self._wanted]
        words = []
        for tier in asked:
            words.append(self._by(tier, mutant))
            if words[-1] in (tier, "broken", "red anyway"):
                return words[-1]
        if not asked:
            return "not tried"
        if "too long" in words:
            return "too long"
        return SURVIVED if len(asked) == len(mutant.tiers) else "not found"

    def _by(self, tier: str, mutant: Mutant) -> str:
        files = mutant.of(tier)
        with self._bench.bug(mutant):
            code = self._bench.run(files)
        if code == RED:
            return tier if self._are_well(files) else "red anyway"
        if code == TOO_LONG:
            return "too long"
        return SURVIVED if code == WELL else "broken"

    def _are_well(self, files: Sequence[str]) -> bool:
        left = [each for each in files if each not in self._well]
        if left and self._bench.run(left) != WELL:
            return False
        self._well.update(left)
        return True


class Copy:
    """A copy of the tree as a bench."""

    def __init__(self, tree: Path, seconds: float) -> None:
        """``seconds``: how long the tests of one tier may take."""
        self._tree = tree
        self._seconds = seconds

    def run(self, files: Sequence[str]) -> int:
        """Run them here; the first that is not well decides."""
        for words in commands(files):
            code = self._run([str(environment.program("python")), *words])
            if code != WELL:
                return code
        return WELL

    @contextmanager
    def bug(self, mutant: Mutant) -> Iterator[None]:
        """Apply its patch, and take it back."""
        self._apply(mutant)
        try:
            yield
        finally:
            self._apply(mutant, "--reverse")

    def _apply(self, mutant: Mutant, *more: str) -> None:
        done = subprocess.run(
            ["git", "apply", *more, str(mutant.patch)],
            cwd=self._tree,
            env={**os.environ, "GIT_CEILING_DIRECTORIES": str(self._tree.parent)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ToolError(f"{mutant.name} does not apply: {done.stderr.strip()}", "make it anew")

    def _run(self, words: Sequence[str]) -> int:
        started = subprocess.Popen(
            words,
            cwd=self._tree,
            env=_variables(self._tree),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_hear_interrupts,
        )
        try:
            return started.wait(self._seconds)
        except subprocess.TimeoutExpired:
            return TOO_LONG
        finally:
            _end(started)


def commands(files: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """What Python is started with: for tests, then for plans of the fault tester."""
    plans = [each for each in files if each.endswith(".yaml")]
    tests = [each for each in files if each not in plans]
    if tests:
        yield ("-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *tests)
    if plans:
        yield ("-m", "tests.faults", "run", *plans)


@contextmanager
def copied(seconds: float) -> Iterator[Copy]:
    """A copy of what git keeps or would keep, as it stands here; it is thrown away."""
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
        yield Copy(tree, seconds)


def _hear_interrupts() -> None:
    """Who is started in a shell's background is born deaf to them, and Python leaves it at that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _end(started: subprocess.Popen[bytes]) -> None:
    """Let it take down what it has started, and wait no longer than a while for that."""
    if started.poll() is not None:
        return
    started.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        started.wait(ENDING_SECONDS)
    if started.poll() is None:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def _variables(tree: Path) -> Mapping[str, str]:
    """The copy's sources go before those that the environment was made for; what is compiled of them is not
    kept, since a bug may come and go within a second.
    """
    roots = os.pathsep.join(str(tree / root) for root in SOURCE_ROOTS)
    return {**environment.variables(), "PYTHONPATH": roots, "PYTHONDONTWRITEBYTECODE": "1"}
