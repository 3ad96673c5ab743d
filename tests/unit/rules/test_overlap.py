"""Ticks that meet running Jobs, by each policy."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coxswain.api.ticks import Tick
from coxswain.rules import overlap
from coxswain.rules.overlap import Fate, Rule

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
POLICIES = ("Skip", "BufferOne", "BufferAll", "CancelOther", "TerminateOther", "AllowAll")


def tick(minute: int, **fields: Any) -> Tick:
    at = NOW - timedelta(minutes=10 - minute)
    found: dict[str, Any] = {"id": str(minute), "source": "Time", "at": at}
    return Tick(**{**found, "due_at": at, "through": at, **fields})


def rule(policy: Any, **fields: Any) -> Rule:
    found: dict[str, Any] = {"buffer_limit": 2, "deadline": None, "left": None, **fields}
    return Rule(overlap=policy, **found)


def fates(policy: str, running: int, count: int = 4, **fields: Any) -> list[str]:
    due = [tick(n) for n in range(count)]
    found = overlap.resolve(due, running, rule(policy, **fields), NOW)
    return [f"{each.fate}/{each.reason}" if each.reason else str(each.fate) for each in found]


@pytest.mark.parametrize(
    ("policy", "idle", "busy"),
    [
        (
            "Skip",
            ["Fire", "Skipped/Overlap", "Skipped/Overlap", "Skipped/Overlap"],
            ["Skipped/Overlap"] * 4,
        ),
        (
            "BufferOne",
            ["Fire", "Wait", "Skipped/BufferFull", "Skipped/BufferFull"],
            ["Wait", "Skipped/BufferFull", "Skipped/BufferFull", "Skipped/BufferFull"],
        ),
        (
            "BufferAll",
            ["Fire", "Wait", "Wait", "Skipped/BufferFull"],
            ["Wait", "Wait", "Skipped/BufferFull", "Skipped/BufferFull"],
        ),
        (
            "CancelOther",
            ["Skipped/Superseded", "Skipped/Superseded", "Skipped/Superseded", "Fire"],
            ["Skipped/Superseded", "Skipped/Superseded", "Skipped/Superseded", "Wait"],
        ),
        ("AllowAll", ["Fire"] * 4, ["Fire"] * 4),
    ],
)
def test_what_becomes_of_four_ticks_at_once(policy: str, idle: list[str], busy: list[str]) -> None:
    assert fates(policy, 0) == idle
    assert fates(policy, 1) == busy


def test_only_the_policies_that_displace_end_running_jobs() -> None:
    for policy in POLICIES:
        found = overlap.resolve([tick(1)], 1, rule(policy), NOW)
        wanted = policy if policy in overlap.DISPLACING else None
        assert overlap.displaces(found, rule(policy)) == wanted
        idle = overlap.resolve([tick(1)], 0, rule(policy), NOW)
        assert overlap.displaces(idle, rule(policy)) is None


def test_a_tick_that_waited_too_long_is_missed_and_the_next_one_goes() -> None:
    deadline = timedelta(minutes=9)
    assert fates("BufferAll", 0, deadline=deadline) == [
        "Missed/DeadlineExceeded",
        "Fire",
        "Wait",
        "Wait",
    ]


def test_no_more_than_max_runs_fire_and_people_are_not_counted() -> None:
    assert fates("AllowAll", 0, left=2) == ["Fire", "Fire", *["Skipped/LimitReached"] * 2]
    asked = tick(3, source="Trigger")
    (found,) = overlap.resolve([asked], 0, rule("AllowAll", left=0), NOW)
    assert found.fate is Fate.FIRE


def test_a_backfill_goes_by_its_own_policy() -> None:
    due = [tick(1, overlap="AllowAll", source="Backfill"), tick(2)]
    found = overlap.resolve(due, 1, rule("Skip"), NOW)
    assert [each.fate for each in found] == [Fate.FIRE, Fate.SKIP]


def test_a_backfill_waits_whole_and_takes_no_place_from_the_ticks_of_the_clock() -> None:
    due = [tick(n, source="Backfill", overlap="BufferAll") for n in range(5)]
    due += [tick(n) for n in range(5, 8)]
    found = overlap.resolve(due, 1, rule("BufferAll"), NOW)
    assert [each.fate for each in found] == [*[Fate.WAIT] * 7, Fate.SKIP]


@given(
    st.lists(st.sampled_from([None, *POLICIES]), max_size=12),
    st.sampled_from(POLICIES),
    st.integers(0, 3),
    st.integers(1, 4),
)
def test_every_tick_has_one_fate_and_only_allow_all_runs_beside_another(
    own: list[Any], policy: str, running: int, limit: int
) -> None:
    due = [tick(n, overlap=each) for n, each in enumerate(own)]
    found = overlap.resolve(due, running, rule(policy, buffer_limit=limit), NOW)
    assert [each.tick for each in found] == due
    alone = [e for e in found if e.fate is Fate.FIRE and (e.tick.overlap or policy) != "AllowAll"]
    assert len(alone) <= (1 if running == 0 else 0)
    for each in found:
        assert (each.reason is not None) == (each.fate in (Fate.SKIP, Fate.MISS))
