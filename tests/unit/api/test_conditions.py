"""Conditions of a status: one order for all, whoever sees which first."""

from coxswain.api.conditions import ConditionType, Seen, merge, with_one

AT = "2026-11-01T00:00:00Z"
RECORDS = Seen(ConditionType.RECORDS_AVAILABLE, "True", "Available")
AGENT = Seen(ConditionType.AGENT_READY, "True", "Found")
READY = Seen(ConditionType.READY, "True", "Ready")


def test_they_stand_in_one_order_whoever_is_seen_first() -> None:
    found = merge([], (READY, RECORDS, AGENT), generation=1, now=AT)
    assert [each.type for each in found] == ["AgentReady", "RecordsAvailable", "Ready"]


def test_one_that_is_changed_alone_leaves_the_order_as_a_pass_makes_it() -> None:
    seen = (RECORDS, AGENT, READY)
    whole = merge([], seen, generation=1, now=AT)
    alone = with_one(whole, RECORDS, generation=1, now=AT)
    assert alone == whole
