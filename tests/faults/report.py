"""What many plans came to: a line each, and the figures."""

import json
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from tests.faults.verdict import Verdict


@dataclass(frozen=True)
class Line:
    """One plan. ``state`` is ok, fail, or idle: what it waits for never came."""

    workload: str
    plan: str
    state: str
    broken: tuple[str, ...]
    seconds: float
    """From the end of the last fault to the end of everything."""

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        """What a verdict comes to."""
        state = "fail" if verdict.broken else "idle" if verdict.waiting else "ok"
        plan = verdict.plan
        return cls(plan.workload, plan.name, state, tuple(verdict.broken), verdict.seconds)


def say(text: str) -> None:
    """To whoever watches, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def close(lines: list[Line], file: Path | None) -> int:
    """Say the figures, keep the lines where that is wanted, and tell how it ended: 0 or 1."""
    if file is not None:
        file.write_text("".join(json.dumps(asdict(each)) + "\n" for each in lines))
    say(figures(lines))
    return int(any(each.state == "fail" for each in lines))


def figures(lines: list[Line]) -> str:
    """How many held, and how long it took after the last fault."""
    states = Counter(each.state for each in lines)
    took = sorted(each.seconds for each in lines if each.state == "ok")
    said = f"{len(lines)} plans: {states['ok']} held, {states['fail']} did not"
    said += f", {states['idle']} found nothing to come true at"
    if took:
        said += f"; {_at(took, 0.5):.1f} s after the last fault (median)"
        said += f", {_at(took, 0.99):.1f} s (99 of 100), {took[-1]:.1f} s (longest)"
    for name, times in Counter(each for line in lines for each in line.broken).most_common():
        said += f"\n  {times:4} {name}"
    return said


def read(file: Path) -> list[Line]:
    """The lines that were kept in a file."""
    found = [json.loads(line) for line in file.read_text().splitlines()]
    return [Line(**{**each, "broken": tuple(each["broken"])}) for each in found]


def _at(ordered: list[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
