"""The judgement over a log sees what is lost, repeated or out of order, and nothing else."""

import pytest

from tests.support import log_history
from tests.support.log_history import Attempt, Standing, Verdict, Walk

RUN = Attempt("a", 1)


@pytest.mark.parametrize(
    ("standing", "taken", "verdict"),
    [
        pytest.param(Standing(10, 10, 10, 0), 10, Verdict(), id="all"),
        pytest.param(Standing(12, 12, 12, 0), 10, Verdict(), id="more than was heard of"),
        pytest.param(Standing(9, 9, 9, 0), 10, Verdict(lost=1), id="the last is lost"),
        pytest.param(Standing(9, 9, 10, 0), 10, Verdict(lost=1), id="one between is lost"),
        pytest.param(Standing(9, 9, 10, 0), 5, Verdict(lost=1), id="a hole behind what was heard"),
        pytest.param(Standing(11, 10, 10, 0), 10, Verdict(repeated=1), id="one stands twice"),
        pytest.param(Standing(10, 10, 10, 2), 10, Verdict(disordered=2), id="two came too late"),
        pytest.param(Standing(10, 9, 10, 1), 11, Verdict(2, 1, 1), id="everything at once"),
    ],
)
def test_a_run_is_judged(standing: Standing, taken: int, verdict: Verdict) -> None:
    assert log_history.judge({RUN: standing}, {RUN: taken}) == verdict


def test_a_run_of_which_nothing_stands_has_lost_what_was_heard() -> None:
    assert log_history.judge({}, {RUN: 7}) == Verdict(lost=7)


def test_runs_are_judged_together() -> None:
    other = Attempt("a", 2)
    standing = {RUN: Standing(3, 3, 3, 0), other: Standing(3, 2, 2, 0)}
    assert log_history.judge(standing, {RUN: 4, other: 2}) == Verdict(lost=1, repeated=1)


def test_a_reader_is_given_each_position_once() -> None:
    walk = Walk()
    for position in (1, 2, 4, 4, 3, 5):
        walk.take(position)
    assert (walk.last, walk.skipped, walk.repeated) == (5, 1, 2)


def test_what_a_writer_noted_counts_only_where_it_is_whole() -> None:
    assert log_history.last_number(["100\n", "200\n", "30"]) == 200
    assert log_history.last_number([]) == 0
