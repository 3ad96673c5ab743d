"""Runs without a fault, for false alarms."""

from collections import Counter

from tests.faults import clean


def test_workloads_take_turns() -> None:
    found = clean.plans(["a", "b_c"], 5)
    assert [each.workload for each in found] == ["a", "b_c", "a", "b_c", "a"]


def test_nothing_goes_wrong_in_any_of_them() -> None:
    assert not any(each.faults for each in clean.plans(["a", "b"], 4))


def test_each_has_a_name_of_its_own_in_the_order_of_their_turns() -> None:
    names = [each.name for each in clean.plans(["b_b", "a"], 12)]
    assert names == sorted(names)
    assert set(Counter(names).values()) == {1}
