"""What many plans came to: a line each, and the figures."""

import json
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from tests.faults import hand_overs
from tests.faults.hand_overs import HandOver
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
    hand_overs: tuple[HandOver, ...] = ()

    @classmethod
    def of(cls, verdict: Verdict) -> Self:
        """What a verdict comes to."""
        state = "fail" if verdict.broken else "idle" if verdict.waiting else "ok"
        plan = verdict.plan
        over = hand_overs.seen(verdict.trace, verdict.fired)
        return cls(plan.workload, plan.name, state, tuple(verdict.broken), verdict.seconds, over)


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
    for deed in hand_overs.ENDINGS:
        said += _of_deed(deed, [each for line in lines for each in line.hand_overs])
    for name, times in Counter(each for line in lines for each in line.broken).most_common():
        said += f"\n  {times:4} {name}"
    return said


def read(file: Path) -> list[Line]:
    """The lines that were kept in a file."""
    found = [json.loads(line) for line in file.read_text().splitlines()]
    return [_line(**each) for each in found]


def _line(broken: list[str], hand_overs: list[list[Any]], **more: Any) -> Line:
    over = tuple(HandOver(*each) for each in hand_overs)
    return Line(**more, broken=tuple(broken), hand_overs=over)


def _of_deed(deed: str, found: list[HandOver]) -> str:
    """How long it took until another led after leaders had ended so, and until it acted; nothing where none had."""
    mine = [each for each in found if each.deed == deed]
    if not mine:
        return ""
    led, acted = (
        sorted(each) for each in zip(*((one.led, one.acted) for one in mine), strict=True)
    )
    return (
        f"\n  {len(mine)} leaders ended by a {deed}; the next one led after {_spread(led)}"
        f", and acted after {_spread(acted)}"
    )


def _spread(ordered: list[float]) -> str:
    return f"{_at(ordered, 0.5):.1f} s (median), {ordered[-1]:.1f} s (longest)"


def _at(ordered: list[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
