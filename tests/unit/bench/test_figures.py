"""Percentiles, spreads, who is ahead, and the formula."""

import pytest

from tests.bench import figures
from tests.bench.figures import Costs, Figure, Spread

RATE = Figure("Jobs/s", "more")
LATENCY = Figure("p99, ms", "less")
LOAD = Figure("Jobs")


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0), (0.001, 1.0)]
)
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(share: float, expected: float) -> None:
    assert figures.percentile([float(n) for n in range(100, 0, -1)], share) == expected


@pytest.mark.parametrize("share", [0.0, 1.1])
def test_there_is_no_percentile_beyond_the_ends(share: float) -> None:
    with pytest.raises(ValueError, match="no percentile"):
        figures.percentile([1.0], share)


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="of 0 values"):
        figures.percentile([], 0.5)


def test_a_spread_is_the_middle_and_both_ends() -> None:
    assert figures.spread([3.0, 1.0, 2.0, 9.0]) == Spread(2.5, 1.0, 9.0)


def test_more_is_ahead_where_more_is_better() -> None:
    assert RATE.ahead(150, 100) == 1.5


def test_less_is_ahead_where_less_is_better() -> None:
    assert LATENCY.ahead(100, 150) == 1.5


@pytest.mark.parametrize("pair", [(1.0, 0.0), (0.0, 1.0)])
def test_nobody_is_ahead_of_nothing(pair: tuple[float, float]) -> None:
    assert RATE.ahead(*pair) is None


def test_nobody_is_ahead_in_a_load() -> None:
    assert LOAD.ahead(2, 1) is None


def test_pairs_are_compared_one_by_one() -> None:
    # The medians are equal, and yet ours is ahead in two pairs of three.
    found = figures.spread_ahead(RATE, [30.0, 20.0, 40.0], [20.0, 40.0, 30.0])
    assert found == Spread(4 / 3, 0.5, 1.5)


def test_one_pair_without_an_answer_leaves_none() -> None:
    assert figures.spread_ahead(RATE, [1.0, 1.0], [1.0, 0.0]) is None


def test_runs_that_have_no_partner_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        figures.spread_ahead(RATE, [1.0, 1.0], [1.0])


@pytest.mark.parametrize(
    ("writes", "controller_ms", "expected"), [(6, 1.04, 179), (5, 0.80, 212), (6, 3.7, 144)]
)
def test_the_formula_gives_what_it_was_found_by(
    writes: int, controller_ms: float, expected: int
) -> None:
    found = Costs(writes, controller_ms, kubelet_ms=0.55, driver_ms=0.6).jobs_per_second()
    assert found == pytest.approx(expected, rel=0.02)


def test_a_third_core_adds_a_half() -> None:
    costs = Costs(6, 1.2, 0.55, 0.6)
    assert costs.jobs_per_second(3) == pytest.approx(1.5 * costs.jobs_per_second(2))


def test_a_slope_is_that_of_the_line_nearest_to_the_points() -> None:
    assert figures.slope([(0, 5), (1, 7), (2, 9)]) == pytest.approx(2)
    assert figures.slope([(0, 0), (1, 3), (2, 0), (3, 3)]) == pytest.approx(0.6)


def test_what_was_seen_while_a_process_grew_into_its_work_is_left_out() -> None:
    assert figures.warm([1, 2, 3, 4, 5, 6]) == [3, 4, 5, 6]
    assert figures.warm([1, 2]) == [1, 2]
