"""The life of a Job: only the edges of the table, whatever is asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coxswain.api.job import TERMINAL, JobPhase
from coxswain.rules import lifecycle

PHASES = [None, *JobPhase]


# The edges as the design has them, written a second time: a change of the table is a change here.
DESIGN = {
    None: "Queued",
    "Queued": "Running Failed Cancelled",
    "Running": "Queued Review Succeeded Failed Cancelled",
    "Review": "Queued Succeeded Failed Cancelled",
    "Succeeded": "",
    "Failed": "",
    "Cancelled": "",
}


def test_the_table_has_the_edges_of_the_design_each_once() -> None:
    wanted = {(before, after) for before, ways in DESIGN.items() for after in ways.split()}
    assert {(edge.before, edge.after) for edge in lifecycle.TABLE} == wanted
    assert len(lifecycle.TABLE) == len(wanted)


@given(st.lists(st.sampled_from(list(JobPhase)), max_size=8))
def test_every_walk_uses_only_edges_of_the_table(wanted: list[JobPhase]) -> None:
    phase: JobPhase | None = None
    for after in wanted:
        try:
            steps = lifecycle.path(phase, after)
        except ValueError:
            assert phase in TERMINAL
            continue
        for step in steps:
            assert step in lifecycle.EDGES[phase]
            phase = step
        assert phase is after


@pytest.mark.parametrize("before", sorted(TERMINAL))
@pytest.mark.parametrize("after", list(JobPhase))
def test_nothing_leaves_an_end(before: JobPhase, after: JobPhase) -> None:
    if before is after:
        assert lifecycle.path(before, after) == ()
    else:
        with pytest.raises(ValueError, match="cannot go"):
            lifecycle.path(before, after)


@pytest.mark.parametrize(
    ("before", "after", "way"),
    [
        (None, JobPhase.QUEUED, ("Queued",)),
        (None, JobPhase.RUNNING, ("Queued", "Running")),
        (None, JobPhase.SUCCEEDED, ("Queued", "Running", "Succeeded")),
        (None, JobPhase.FAILED, ("Queued", "Failed")),
        (None, JobPhase.CANCELLED, ("Queued", "Cancelled")),
        (JobPhase.QUEUED, JobPhase.SUCCEEDED, ("Running", "Succeeded")),
        (JobPhase.RUNNING, JobPhase.QUEUED, ("Queued",)),
        (JobPhase.RUNNING, JobPhase.CANCELLED, ("Cancelled",)),
        (None, JobPhase.REVIEW, ("Queued", "Running", "Review")),
        (JobPhase.REVIEW, JobPhase.RUNNING, ("Queued", "Running")),
        (JobPhase.REVIEW, JobPhase.SUCCEEDED, ("Succeeded",)),
    ],
)
def test_the_way_is_the_shortest_that_tells_all(
    before: JobPhase | None, after: JobPhase, way: tuple[str, ...]
) -> None:
    assert lifecycle.path(before, after) == way
