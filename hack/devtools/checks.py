"""What `hack/check` looks at: format, lint, types, import contracts, generated files, secrets, words,
ledger, licences.

Each check is a command or a function; two run at a time, and all run, so that one look shows everything.
"""

import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from devtools import console, environment, fault_rows, ledger, licences, places, scan
from devtools.errors import ToolError

AT_A_TIME = 2


@dataclass(frozen=True)
class Check:
    """One thing to look at; `look` returns what is wrong, or nothing."""

    name: str
    look: Callable[[], str]


def all_checks() -> list[Check]:
    """Every check, the slowest first."""
    generate = places.REPOSITORY / "hack" / "generate"
    return [
        Check("generated files", _command(generate, "--check")),
        Check("types", _command(environment.program("mypy"), "--no-error-summary")),
        Check("lint", _command(environment.program("ruff"), "check", "--quiet", ".")),
        Check("format", _command(environment.program("ruff"), "format", "--check", "--quiet", ".")),
        Check("import contracts", _command(environment.program("lint-imports"), "--no-cache")),
        Check("secrets", lambda: _findings(scan.SECRETS)),
        Check("words", lambda: _findings(scan.WORDS)),
        Check("ledger", _ledger),
        Check("licences", licences.check),
    ]


def run_all(checks: list[Check]) -> None:
    """Run the checks; raise if one finds something."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        failed = [name for name in pool.map(_run, checks) if name]
    if failed:
        raise ToolError(f"not good yet: {', '.join(failed)}", "the lines above say where")


def _run(check: Check) -> str:
    started = time.monotonic()
    wrong = check.look().strip()
    seconds = time.monotonic() - started
    if wrong:
        console.say(f"{wrong}\n  fail  {check.name} ({seconds:.1f} s)")
        return check.name
    console.say(f"  ok    {check.name} ({seconds:.1f} s)")
    return ""


def _command(*words: str | Path) -> Callable[[], str]:
    def look() -> str:
        done = subprocess.run(
            [str(word) for word in words],
            cwd=places.REPOSITORY,
            env=environment.variables(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return ""
        return done.stdout + done.stderr or f"{words[0]} ended with {done.returncode}"

    return look


def _findings(patterns: dict[str, str]) -> str:
    return "\n".join(finding.text() for finding in scan.repository(patterns))


def _ledger() -> str:
    try:
        promises = ledger.faults(ledger.rows(ledger.LEDGER.read_text()))
        return "\n".join([*promises, *fault_rows.faults(fault_rows.PAGE.read_text())])
    except ToolError as error:
        return str(error)
