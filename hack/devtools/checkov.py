"""checkov over every rendered set of values: what fails has a reason in hack/gates/checkov, or is a fault.

It lives in an environment of its own in the cache, made from a committed lock, and asks nobody.
"""

import fnmatch
import hashlib
import json
import shutil
import sys
import tomllib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devtools import console, environment, lockfiles, locks, places, shell
from devtools.errors import ToolError

LOCK = lockfiles.CHECKOV.lock
SKIPPED = LOCK.with_name("skipped.toml")
AT_A_TIME = 2
ALONE = {"LOG_LEVEL": "ERROR", "CHECKOV_RUN_SCA_PACKAGE_SCAN_V2": "false"}


@dataclass(frozen=True, order=True)
class Failure:
    """One check that one object of one set of values does not pass."""

    values: str
    check: str
    resource: str
    """KIND.NAMESPACE.NAME."""
    name: str
    """The check, in words."""


@dataclass(frozen=True)
class Skip:
    """Failures that are left so."""

    check: str
    resource: str
    values: tuple[str, ...]
    """All, where it is empty."""
    reason: str

    def covers(self, failure: Failure) -> bool:
        """Whether it is about this one."""
        return (
            failure.check == self.check
            and fnmatch.fnmatchcase(failure.resource, self.resource)
            and (not self.values or failure.values in self.values)
        )


def skips(path: Path = SKIPPED) -> list[Skip]:
    """The page of those that are left."""
    return [
        Skip(each["check"], each["resource"], tuple(each.get("values", ())), each["reason"])
        for each in tomllib.loads(path.read_text())["skipped"]
    ]


def failures(values: str, report: str) -> list[Failure]:
    """What a report of checkov names. Raises ToolError where it has looked at nothing or could not read all."""
    said: Any = json.loads(report)
    parts = said if isinstance(said, list) else [said]
    summaries = [each["summary"] for each in parts if "summary" in each]
    if not sum(each["passed"] for each in summaries):
        raise ToolError(f"checkov has passed nothing of {values}: it did not look")
    if any(each["parsing_errors"] for each in summaries):
        raise ToolError(f"checkov cannot read all of {values}")
    return [
        Failure(values, each["check_id"], each["resource"], each["check_name"])
        for part in parts
        for each in part.get("results", {}).get("failed_checks", ())
    ]


def faults(found: Iterable[Failure], left: Iterable[Skip]) -> Iterator[str]:
    """Failures that nothing covers, then entries that cover nothing."""
    failed, entries = sorted(found), list(left)
    for each in failed:
        if not any(entry.covers(each) for entry in entries):
            yield f"{each.values}: {each.check} {each.resource}: {each.name}"
    for entry in entries:
        if not any(entry.covers(each) for each in failed):
            yield f"{SKIPPED.name}: nothing fails {entry.check} at {entry.resource} any more"


def verify(rendered: Iterable[Path]) -> None:
    """Look at rendered manifests, a file for each set of values. Raises ToolError with what is wrong."""
    program = ensure()
    files = list(rendered)
    with console.step(f"checkov {len(files)} files"), ThreadPoolExecutor(AT_A_TIME) as pool:
        reports = list(pool.map(lambda path: _report(program, path), files))
        found = [
            each
            for path, report in zip(files, reports, strict=True)
            for each in failures(_values(path), report)
        ]
        if wrong := list(faults(found, skips())):
            raise ToolError("\n".join(wrong), f"mend the chart, or say why not in {SKIPPED.name}")


def ensure() -> Path:
    """The program, installed from its lock once."""
    if lockfiles.CHECKOV.is_stale():
        raise ToolError(f"{LOCK.name} of checkov is missing or old", "run hack/lock")
    key = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:12]
    home = places.cache() / "programs" / f"checkov-{key}"
    done = home / "whole"
    with locks.held(home.parent / "checkov.lock", "installing checkov"):
        if not done.exists():
            with console.step("install checkov"):
                _install(home)
            done.touch()
    return home / "bin" / "checkov"


def _install(home: Path) -> None:
    # An environment knows its own path, so it is not moved when it is whole: it is marked.
    shutil.rmtree(home, ignore_errors=True)
    uv = environment.uv()
    shell.run([uv, "venv", "--python", sys.executable, home], env=environment.NO_DOWNLOADS)
    shell.run(
        [uv, "pip", "sync", "--python", home / "bin" / "python", "--require-hashes", LOCK],
        env=environment.NO_DOWNLOADS,
        hint="is the Python package index of this machine in reach, is the disk full?",
    )


def _report(program: Path, path: Path) -> str:
    words: list[str | Path] = [program, "--file", path, "--framework", "kubernetes"]
    words += ["--output", "json", "--quiet", "--compact", "--soft-fail", "--skip-download"]
    return shell.run(words, env=ALONE, cwd=path.parent)


def _values(path: Path) -> str:
    """The name of the set of values, from the name of the rendered file."""
    return path.stem.removeprefix("coxswain-")
