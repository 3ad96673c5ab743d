"""What a load came to."""

import pytest

from tests.bench.load import Done

DONE = Done(begun={"a": 10.0, "b": 11.0}, ended={"b": 11.5, "a": 14.0})


def test_the_time_of_a_job_is_from_its_own_begin_to_its_own_end() -> None:
    assert sorted(DONE.milliseconds) == [500.0, 4000.0]


def test_the_rate_counts_from_the_first_begin_to_the_last_end() -> None:
    assert DONE.per_second == 0.5


def test_a_job_without_an_end_is_no_time() -> None:
    with pytest.raises(KeyError, match="b"):
        _ = Done(begun={"b": 1.0}, ended={"a": 2.0}).milliseconds
