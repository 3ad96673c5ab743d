"""Plans in which nothing goes wrong: whatever is told of one of them is a false alarm. Pure."""

from collections.abc import Sequence
from itertools import cycle, islice

from tests.faults.plan import Plan

QUIET_SECONDS = 2.0
"""Short, since it is most of a plan's time. Whether all is quiet for longer, other plans see."""


def plans(workloads: Sequence[str], runs: int) -> list[Plan]:
    """So many, of the workloads by turns, with names in the order in which they are to be played."""
    turns = enumerate(islice(cycle(workloads), runs), start=1)
    return [
        Plan(
            name=f"{number:04}-{name.replace('_', '-')}",
            workload=name,
            quiet_seconds=QUIET_SECONDS,
        )
        for number, name in turns
    ]
