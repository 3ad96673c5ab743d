"""CPU as the kernel counts it, shared out."""

import os

from tests.bench import spending
from tests.bench.spending import Spent


def test_what_nobody_here_spent_is_that_of_others() -> None:
    before = Spent(1.0, {"a": 1.0, "b": 2.0, "all": 10.0})
    after = Spent(2.0, {"a": 1.5, "b": 2.25, "all": 11.0})
    assert after.since(before) == {"a": 0.5, "b": 0.25, spending.OTHERS: 0.25}


def test_others_are_never_less_than_nothing() -> None:
    before = Spent(1.0, {"a": 1.0, "all": 10.0})
    assert Spent(2.0, {"a": 1.5, "all": 10.4}).since(before)[spending.OTHERS] == 0.0


def test_a_process_has_held_some_memory() -> None:
    assert 1 < spending.peak_megabytes(os.getpid()) < 100_000
