"""In which order things go wrong."""

from collections import Counter
from itertools import islice, pairwise
from random import Random

import pytest

from tests.faults.chaos import choice

NAMES = ["a", "b", "c", "d"]


def _first(seed: int, count: int, names: list[str] = NAMES) -> list[str]:
    return list(islice(choice.rounds(Random(seed), names), count))  # noqa: S311 - no secret


def test_the_same_seed_gives_the_same_order_and_another_another() -> None:
    assert _first(1, 40) == _first(1, 40)
    assert _first(1, 40) != _first(2, 40)


@pytest.mark.parametrize("seed", range(20))
def test_each_comes_once_in_a_round_and_none_twice_in_a_row(seed: int) -> None:
    drawn = _first(seed, 40)
    for begin in range(0, 40, len(NAMES)):
        assert Counter(drawn[begin : begin + len(NAMES)]) == Counter(NAMES)
    assert all(before != after for before, after in pairwise(drawn))


def test_of_one_alone_there_is_no_other_to_choose() -> None:
    assert _first(1, 3, ["a"]) == ["a", "a", "a"]
