"""Whose turn it is."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coxswain.rules import fairness
from coxswain.rules.fairness import Contender, Place, Slot, Waiting

NAMES = st.sampled_from(["a", "b", "c"])
SLOTS = st.builds(
    fairness.slot,
    NAMES,
    st.sampled_from(["helm", "oar"]),
    st.sampled_from(["default", "nightly"]),
    st.sampled_from([None, "ann", "bob"]),
)
WEIGHTS = st.dictionaries(NAMES, st.integers(1, 100))


@st.composite
def lines(draw: st.DrawFn, most: int = 30) -> list[Waiting]:
    """Jobs that wait, each with a uid of its own."""
    drawn = st.tuples(st.integers(-2, 2), st.integers(0, 5), SLOTS)
    return [
        Waiting(Place(rank, str(age), f"u{number:02}"), slot)
        for number, (rank, age, slot) in enumerate(draw(st.lists(drawn, max_size=most)))
    ]


def job(uid: str, workspace: str = "a", owner: str = "ann", priority: int = 0) -> Waiting:
    return Waiting(Place(-priority, "1", uid), Slot(workspace, owner, "default", "helm"))


def shown(found: list[Waiting]) -> str:
    return " ".join(each.place.uid for each in found)


def contender(who: str, running: int, served: int = 0, weight: int = 1) -> Contender[str]:
    price = fairness.cost(weight)
    return Contender(who, price, running, served * fairness.UNIT, Place(0, "1", who))


@pytest.mark.parametrize(
    ("waiting", "running", "weights", "wanted"),
    [
        ([job("2"), job("1"), job("3", priority=5)], [], {}, "3 1 2"),
        ([job("1"), job("2"), job("3", owner="bob")], [], {}, "1 3 2"),
        ([job("1", priority=9), job("2", priority=9), job("3", owner="bob")], [], {}, "1 3 2"),
        ([job("1"), job("2", owner="bob", priority=1)], [], {}, "2 1"),
        ([job("1"), job("2"), job("3", workspace="b")], [], {}, "1 3 2"),
        ([job("1"), job("2", workspace="b")], [job("r").slot], {}, "2 1"),
        ([job("1"), job("2"), job("3", "b"), job("4", "b")], [], {"b": 2}, "1 3 4 2"),
        ([job("1"), job("2", owner="bob"), job("3", "b"), job("4", "b")], [], {}, "1 3 2 4"),
    ],
    ids=[
        "priority, then uid",
        "owners in turn",
        "no priority takes another owner's share",
        "at equal shares the higher priority",
        "workspaces in turn",
        "who runs less",
        "weights",
        "owners in workspaces",
    ],
)
def test_the_order_of_a_line(
    waiting: list[Waiting], running: list[Slot], weights: dict[str, int], wanted: str
) -> None:
    assert shown(fairness.order(waiting, running, weights)) == wanted


@given(lines(), st.lists(SLOTS, max_size=9), WEIGHTS, st.randoms())
def test_the_order_is_the_same_however_the_jobs_are_listed(
    waiting: list[Waiting], running: list[Slot], weights: dict[str, int], chance: Random
) -> None:
    found = fairness.order(waiting, running, weights)
    assert sorted(found) == sorted(waiting)
    mixed, others = list(waiting), list(running)
    chance.shuffle(mixed)
    chance.shuffle(others)
    assert fairness.order(mixed, others, weights) == found


@given(lines(), st.lists(SLOTS, max_size=9), WEIGHTS)
def test_of_one_owner_the_higher_priority_goes_first_then_the_older_then_by_uid(
    waiting: list[Waiting], running: list[Slot], weights: dict[str, int]
) -> None:
    found = fairness.order(waiting, running, weights)
    for share in {(each.slot.workspace, each.slot.owner) for each in waiting}:
        own = [each for each in found if (each.slot.workspace, each.slot.owner) == share]
        assert own == sorted(own)


@given(lines())
def test_the_first_job_of_a_workspace_stands_behind_no_second_one_of_the_same_weight(
    waiting: list[Waiting],
) -> None:
    found = fairness.order(waiting, [], {})
    firsts: dict[str, int] = {}
    for place, each in enumerate(found):
        firsts.setdefault(each.slot.workspace, place)
    assert sorted(firsts.values()) == list(range(len(firsts)))


@pytest.mark.parametrize(
    ("contenders", "wanted"),
    [
        ([contender("a", 3), contender("b", 2, served=9)], "b"),
        ([contender("a", 2, served=1), contender("b", 2)], "b"),
        ([contender("a", 0, served=1, weight=2), contender("b", 0)], "b"),
        ([contender("a", 1, weight=2), contender("b", 0, served=1)], "a"),
        ([contender("a", 2, weight=2), contender("b", 0, served=1)], "b"),
        ([contender("b", 1), contender("a", 1)], "a"),
    ],
    ids=[
        "less running",
        "less served",
        "less served with nothing running",
        "less served, though it runs more, within its weight",
        "not above another one that had a slot more",
        "the older job",
    ],
)
def test_the_choice(contenders: list[Contender[str]], wanted: str) -> None:
    assert fairness.choose(contenders).who == wanted
