"""Which plans a sample holds."""

from collections import Counter

from tests.faults import draw
from tests.faults.plan import Commit, Deed, Event, Fault, Plan

KILL = Fault(commit=Commit(), do=Deed.KILL)
LOSE = Fault(commit=Commit(), do=Deed.LOSE, when="after")
DROPS = tuple(Fault(event=Event(resource="pods", nth=n), do=Deed.DROP) for n in (1, 2))


def _many() -> list[Plan]:
    """Of one workload ten of one kind and two of another, of a second workload one."""
    found = [Plan(name=f"kill-{n}", workload="retry", faults=(KILL,)) for n in range(10)]
    found += [Plan(name=f"lose-{n}", workload="retry", faults=(LOSE,)) for n in range(2)]
    return [*found, Plan(name="kill", workload="at_once", faults=(KILL,))]


def test_each_kind_of_each_workload_has_its_turn_before_one_comes_again() -> None:
    first = draw.some(_many(), 3, seed=1)
    assert Counter((each.workload, draw.kind(each)) for each in first) == {
        ("retry", "kill before commit"): 1,
        ("retry", "lose after commit"): 1,
        ("at_once", "kill before commit"): 1,
    }
    assert draw.some(_many(), 5, seed=1)[:3] == first


def test_one_seed_gives_one_sample_in_whatever_order_the_plans_come() -> None:
    assert draw.some(_many(), 6, seed=1) == draw.some(_many()[::-1], 6, seed=1)
    assert len({tuple(draw.some(_many(), 6, seed=n)) for n in range(10)}) > 1


def test_no_plan_comes_twice_and_more_than_there_are_is_all() -> None:
    found = draw.some(_many(), 100, seed=1)
    assert sorted(each.name for each in found) == sorted(each.name for each in _many())
    assert draw.some([], 3, seed=1) == []


def test_a_kind_is_what_goes_wrong_and_not_where() -> None:
    assert draw.kind(Plan(name="a", workload="retry", faults=DROPS)) == "drop before event"
    assert draw.kind(Plan(name="a", workload="retry", faults=(KILL, LOSE))) == (
        "kill before commit, lose after commit"
    )
