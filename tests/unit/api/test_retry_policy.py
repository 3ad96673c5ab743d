"""The waits between tries, which every caller of the platform shares."""

import pytest

from coxswain.api.retry_policy import ONCE, RetryPolicy, told_seconds

POLICY = RetryPolicy(tries=4, total_seconds=10, first_seconds=1, most_seconds=5)


@pytest.mark.parametrize(
    ("failures", "ceiling"), [(1, 1), (2, 2), (3, 4), (4, 5), (5, 5), (10_000, 5)]
)
def test_a_ceiling_doubles_up_to_the_most(failures: int, ceiling: float) -> None:
    assert POLICY.ceiling_seconds(failures) == ceiling


def test_a_wait_is_drawn_from_nothing_to_its_ceiling() -> None:
    assert [POLICY.pause_seconds(3, draw) for draw in (0.0, 0.5, 1.0)] == [0.0, 2.0, 4.0]


def test_a_wait_is_never_shorter_than_the_other_side_asked_for() -> None:
    assert POLICY.pause_seconds(1, 0.0, 3.0) == 3.0
    assert POLICY.pause_seconds(3, 1.0, 3.0) == 4.0


@pytest.mark.parametrize(
    ("failures", "spent", "pause", "allowed"),
    [(1, 0, 1, True), (3, 0, 1, True), (4, 0, 1, False), (1, 9, 1, True), (1, 9.5, 1, False)],
)
def test_tries_and_time_are_bounded(
    failures: int, spent: float, pause: float, *, allowed: bool
) -> None:
    assert POLICY.allows(failures, spent, pause) is allowed


def test_once_is_once() -> None:
    assert not ONCE.allows(1, 0, 0)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, None), ("3", 3.0), (" 0 ", 0.0), ("Sun, 29 Nov 2026 10:00:00 GMT", None), ("-1", None)],
)
def test_a_wait_that_is_asked_for_is_read_in_seconds(
    header: str | None, seconds: float | None
) -> None:
    assert told_seconds(header) == seconds
