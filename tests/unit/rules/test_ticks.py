"""Ticks of intervals, instants and heartbeats; jitter; counting."""

from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coxswain.api.schedule import TriggerSpec
from coxswain.errors import UserError
from coxswain.rules import heartbeat, ticks

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
instants = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(tzinfo=UTC)
)


def ticking(**fields: Any) -> ticks.Ticking:
    return ticks.of(TriggerSpec.model_validate(fields))


def first(found: ticks.Ticking, at: datetime = NOW, count: int = 3) -> list[str]:
    return [each.strftime("%d %H:%M:%S") for each in islice(found.after(at), count)]


def test_an_interval_falls_on_multiples_whenever_one_looks() -> None:
    quarter = ticking(interval={"seconds": 900, "phaseSeconds": 60})
    assert first(quarter) == ["29 12:01:00", "29 12:16:00", "29 12:31:00"]
    assert first(quarter, NOW + timedelta(minutes=1))[0] == "29 12:16:00"
    assert first(ticking(heartbeat={"seconds": 1800}))[0] == "29 12:30:00"


def test_an_instant_comes_once() -> None:
    once = ticking(at="2026-11-29T14:00:00+01:00")
    assert first(once) == ["29 13:00:00"]
    assert first(once, NOW + timedelta(hours=1)) == []


def test_start_and_end_belong_to_it_and_nothing_outside_does() -> None:
    bounded = ticking(
        interval={"seconds": 60}, startAt="2026-11-29T12:05:00Z", endAt="2026-11-29T12:06:00Z"
    )
    assert first(bounded) == ["29 12:05:00", "29 12:06:00"]


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Adak"])
def test_the_last_instant_that_people_may_name_breaks_no_count(zone: str) -> None:
    last = datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC)
    for trigger in (
        {"cron": ["0 0 29 2 *"], "timeZone": zone},
        {"interval": {"seconds": 31_536_000}},
        {"at": last.isoformat()},
    ):
        found = ticking(**trigger, startAt=last.isoformat())
        coming = list(islice(found.after(NOW), 10))
        assert coming
        assert [ticks.due_at("u", each, 86_400) >= each for each in coming]


def test_a_field_at_its_default_changes_no_identity() -> None:
    bare = TriggerSpec.model_validate({"interval": {"seconds": 60}})
    said = {"interval": {"seconds": 60, "phaseSeconds": 0}, "timeZone": "UTC", "cron": None}
    text = ticks.identity(bare)
    assert ticks.identity(TriggerSpec.model_validate(said)) == text == '{"interval":{"seconds":60}}'
    assert ticks.former(text) == bare


def test_lines_that_meet_make_one_tick() -> None:
    both = ticking(cron=["0 * * * *", "*/30 * * * *"])
    assert first(both) == ["29 12:30:00", "29 13:00:00", "29 13:30:00"]


def test_a_trigger_that_cannot_be_read_names_the_field() -> None:
    for fields, place in (
        ({"cron": ["0 9 * * *", "0 0 30 2 *"]}, "spec.cron[1]"),
        ({"cron": ["0 9 * * *"], "timeZone": "Mars/Base"}, "spec.timeZone"),
        ({"interval": {"seconds": 60}, "timeZone": "Mars/Base"}, "spec.timeZone"),
    ):
        with pytest.raises(UserError) as caught:
            ticking(**fields)
        assert caught.value.field == place


@given(instants, st.integers(1, 100_000), st.integers(0, 40), st.integers(0, 3))
def test_many_ticks_of_an_interval_are_counted_as_one_by_one(
    at: datetime, seconds: int, steps: int, more: int
) -> None:
    steady = ticking(interval={"seconds": seconds})
    until = at + timedelta(seconds=seconds * steps + more)
    found = list(takewhile(lambda tick: tick <= until, steady.after(at)))
    span = steady.span(at, until, 5)
    if not found:
        assert span is None
    else:
        assert span == ticks.Span(len(found), found[0], found[-1])


def test_a_week_of_seconds_is_counted_at_once_and_cron_in_parts() -> None:
    week = timedelta(days=7)
    second = ticking(interval={"seconds": 1}).span(NOW, NOW + week, 10)
    assert second is not None
    assert (second.count, second.more) == (604_800, False)
    lines = ticking(cron=["* * * * *"])
    part = lines.span(NOW, NOW + week, 100)
    assert part is not None
    assert (part.count, part.more) == (100, True)
    assert part.last == NOW + timedelta(minutes=100)


@given(instants, st.integers(0, 86_400))
def test_jitter_is_within_its_bound_and_the_same_for_the_same_tick(
    at: datetime, jitter: int
) -> None:
    due = ticks.due_at("uid", at, jitter)
    assert due == ticks.due_at("uid", at, jitter)
    assert at <= due <= at + timedelta(seconds=jitter)


def test_jitter_spreads_ticks_and_schedules() -> None:
    minutes = [NOW + timedelta(minutes=n) for n in range(200)]
    drawn = {(ticks.due_at("a", at, 3600) - at) // timedelta(minutes=1) for at in minutes}
    assert len(drawn) > 45
    assert ticks.due_at("a", NOW, 3600) != ticks.due_at("b", NOW, 3600)


@given(instants, instants)
def test_two_ticks_never_share_a_name(one: datetime, other: datetime) -> None:
    assert (ticks.name(one) == ticks.name(other)) == (one == other)


def test_a_trigger_that_was_written_down_is_read_again() -> None:
    spec = TriggerSpec.model_validate({"cron": ["@daily"], "timeZone": "Europe/Berlin"})
    former = ticks.former_ticks(ticks.identity(spec))
    assert former is not None
    assert first(former) == first(ticks.of(spec))
    assert ticks.former_ticks('{"cron": ["0 0 30 2 *"]}') is None
    assert ticks.former_ticks("{}") is None


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        ("HEARTBEAT_OK", "Swallowed"),
        (" HEARTBEAT_OK\n", "Swallowed"),
        ("HEARTBEAT_OK, but look at this", "Kept"),
        ("heartbeat_ok", "Kept"),
        ("", "Kept"),
        (None, "Kept"),
    ],
)
def test_only_the_very_words_of_a_heartbeat_are_swallowed(answer: str | None, reply: str) -> None:
    assert heartbeat.reply(answer) == reply
