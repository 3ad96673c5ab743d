"""What became of events that were written while everything was killed: a judgement over the log. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Attempt(NamedTuple):
    """One run: its Job, and the number of the attempt."""

    job_uid: str
    number: int


@dataclass(frozen=True)
class Standing:
    """What stands of a run in the log: rows, different numbers, the highest, and how often a number fell."""

    rows: int
    numbers: int
    highest: int
    falls: int


@dataclass(frozen=True)
class Verdict:
    """Events that were lost, that stand more than once, and that stand before one that was written earlier."""

    lost: int = 0
    repeated: int = 0
    disordered: int = 0

    def __add__(self, other: "Verdict") -> "Verdict":
        """Both together."""
        return Verdict(
            self.lost + other.lost,
            self.repeated + other.repeated,
            self.disordered + other.disordered,
        )


def judge(standing: Mapping[Attempt, Standing], taken: Mapping[Attempt, int]) -> Verdict:
    """``taken``: the last number of each run that its writer heard was kept; before it nothing may be missing.

    What was written behind it may stand or not, since its writer died before it heard; but if an event
    stands, all before it do.
    """
    found = Verdict()
    for run in standing.keys() | taken.keys():
        log = standing.get(run, Standing(0, 0, 0, 0))
        last = max(log.highest, taken.get(run, 0))
        found += Verdict(last - log.numbers, log.rows - log.numbers, log.falls)
    return found


@dataclass
class Walk:
    """The positions that a reader of the live log was given, one after the other."""

    last: int = 0
    skipped: int = 0
    repeated: int = 0

    def take(self, position: int) -> None:
        """The next one."""
        if position <= self.last:
            self.repeated += 1
            return
        self.skipped += position - self.last - 1
        self.last = position


def last_number(lines: Iterable[str]) -> int:
    """The last whole line of what a writer noted; 0 where there is none."""
    whole = [int(line) for line in lines if line.endswith("\n")]
    return whole[-1] if whole else 0
