"""Several beds beside each other, each a process: most of a plan's time is waiting."""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.faults import report
from tests.faults.plan import Plan

Share = tuple[int, int]
LANES = 8
"""On two cores: a plan waits for ten seconds and more, and uses two or three of CPU."""


def part(text: str) -> Share:
    """``I/N`` as two numbers, 1 <= I <= N."""
    first, _, last = text.partition("/")
    if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last)):
        raise argparse.ArgumentTypeError(f"{text} is no share; say I/N, such as 1/4")
    return int(first), int(last)


def share(plans: list[Plan], which: Share | None) -> list[Plan]:
    """Each N-th plan, from the I-th on; all without a share."""
    if which is None:
        return plans
    return plans[which[0] - 1 :: which[1]]


def run(folder: Path, lanes: int, file: Path | None, words: Sequence[str] = ()) -> int:
    """Play what is in a folder, each plan once, and say what all came to; ``words`` are for each lane."""
    with tempfile.TemporaryDirectory(prefix="cx-faults-") as kept:
        files = [Path(kept) / f"{number}.jsonl" for number in range(1, lanes + 1)]
        started = []
        for number, each in enumerate(files, start=1):
            mine = ["run", str(folder), "--share", f"{number}/{lanes}", "--json", str(each)]
            command = [sys.executable, "-m", "tests.faults", *mine, *words]
            started.append(subprocess.Popen(command))
        codes = _codes(started)
        lines = [line for each in files if each.exists() for line in report.read(each)]
    broken_off = sum(code not in (0, 1) for code in codes)
    if broken_off:
        report.say(f"{broken_off} of {lanes} lanes broke off; what follows is of the others")
    return max(report.close(lines, file), int(bool(broken_off)))


def _codes(lanes: list["subprocess.Popen[bytes]"]) -> list[int]:
    """How each has ended; where this one is told to end, all do, and take down what they have started."""
    try:
        return [each.wait() for each in lanes]
    finally:
        for each in lanes:
            each.terminate()
        for each in lanes:
            each.wait()
