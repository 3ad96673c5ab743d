"""Which plans a sample holds."""

from collections import Counter

import pytest

from tests.faults import draw
from tests.faults.plan import Commit, Deed, Event, Fault, Plan

KILL = Fault(commit=Commit(), do=Deed.KILL)
LOSE = Fault(commit=Commit(), do=Deed.LOSE, when="after")
KILLED, LOST = "kill before commit", "lose after commit"
DROPS = tuple(Fault(event=Event(resource="pods", nth=n), do=Deed.DROP) for n in (1, 2))


def _many() -> list[Plan]:
    """Of one workload ten of one kind and two of another, of a second workload one."""
    found = [Plan(name=f"kill-{n}", workload="retry", faults=(KILL,)) for n in range(10)]
    found += [Plan(name=f"lose-{n}", workload="retry", faults=(LOSE,)) for n in range(2)]
    return [*found, Plan(name="kill", workload="at_once", faults=(KILL,))]


def test_each_workload_has_its_turn_before_one_comes_again() -> None:
    plans = [Plan(name=f"p{n}", workload=f"w{n % 4}", faults=(KILL,)) for n in range(20)]
    found = [each.workload for each in draw.some(plans, 8, seed=1)]
    assert sorted(found[:4]) == ["w0", "w1", "w2", "w3"]
    assert found[4:] == found[:4]


@pytest.mark.parametrize("seed", range(5))
def test_what_went_wrong_least_so_far_comes_first(seed: int) -> None:
    of_one = [each for each in _many() if each.workload == "retry"]
    found = [draw.kind(each) for each in draw.some(of_one, 4, seed)]
    assert Counter(found[:2]) == Counter(found[2:]) == {KILLED: 1, LOST: 1}


def test_one_seed_gives_one_sample_in_whatever_order_the_plans_come() -> None:
    assert draw.some(_many(), 6, seed=1) == draw.some(_many()[::-1], 6, seed=1)
    assert len({tuple(draw.some(_many(), 6, seed=n)) for n in range(10)}) > 1


def test_no_plan_comes_twice_and_more_than_there_are_is_all() -> None:
    found = draw.some(_many(), 100, seed=1)
    assert sorted(each.name for each in found) == sorted(each.name for each in _many())
    assert draw.some([], 3, seed=1) == []


def test_a_kind_is_what_goes_wrong_and_not_where() -> None:
    assert draw.kind(Plan(name="a", workload="retry", faults=DROPS)) == "drop before event"
    assert draw.kind(Plan(name="a", workload="retry", faults=(KILL, LOSE))) == (f"{KILLED}, {LOST}")
