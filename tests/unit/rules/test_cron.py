"""When cron lines fire."""

import os
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from random import Random
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coxswain.errors import UserError
from coxswain.rules import cron, zones
from tests.support import clocks

WHOLE = "COXSWAIN_ALL_ZONES"
"""Set, every change of every zone is looked at, for some minutes: hack/test unit -- -k every_zone."""
AROUND = timedelta(hours=30)
MINUTE = timedelta(minutes=1)
LINES = (
    "* * * * *",
    "30 2 * * *",
    "0 0 * * *",
    "15,45 */2 * * *",
    "30 0-3 * * *",
    "0 */3 * * 0",
    "*/20 2 * * *",
    "30 * * * *",
    "59 23 * * *",
    "5 0 1,15 * 1",
)
# Gaps at midnight, half hours, a day that never was, two hours, changes of the standard.
ODD = (
    "Europe/Berlin",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Antarctica/Troll",
    "Africa/Casablanca",
    "Asia/Pyongyang",
    "America/Caracas",
)
BERLIN = ZoneInfo("Europe/Berlin")


def fires(line: str, zone: ZoneInfo, begin: datetime, end: datetime) -> list[datetime]:
    later = cron.read(line, field="spec.cron[0]").after(begin - timedelta(microseconds=1), zone)
    return list(takewhile(lambda at: at <= end, later))


def local(line: str, begin: str, count: int = 3) -> list[str]:
    at = datetime.fromisoformat(begin).replace(tzinfo=BERLIN)
    found = islice(cron.read(line, field="f").after(at, BERLIN), count)
    return [each.astimezone(BERLIN).strftime("%d %H:%M %z") for each in found]


def nights() -> list[tuple[str, datetime]]:
    """Zones and the changes of their clocks that are looked at; of those that are alike, one."""
    is_whole = WHOLE in os.environ
    names = sorted(available_timezones() - {"localtime"}) if is_whole else ODD
    found: dict[object, tuple[str, datetime]] = {}
    for name in names:
        zone = ZoneInfo(name)
        changes = clocks.changes(zone, 2000, 2040)
        chosen = changes if is_whole else Random(name).sample(changes, min(2, len(changes)))  # noqa: S311 - a sample
        for each in chosen:
            around = (each - 2 * AROUND, each - MINUTE, each, each + AROUND)
            alike = (each, *(at.astimezone(zone).utcoffset() for at in around))
            found.setdefault(alike, (name, each))
    return list(found.values())


def test_every_zone_fires_by_the_written_rule_when_its_clocks_change() -> None:
    for name, change in nights():
        zone, begin, end = ZoneInfo(name), change - AROUND, change + AROUND
        for line in LINES:
            wanted = clocks.fires(line, zone, begin, end)
            assert fires(line, zone, begin, end) == wanted, (name, str(change), line)


def test_a_time_that_a_night_leaves_out_fires_at_the_first_minute_after_the_gap() -> None:
    assert local("30 2 * * *", "2026-03-28T12:00")[0] == "29 03:00 +0200"
    assert local("10,20 2 * * *", "2026-03-28T12:00")[:2] == ["29 03:00 +0200", "30 02:10 +0200"]


def test_a_time_that_a_night_has_twice_fires_the_first_time_only() -> None:
    assert local("30 2 * * *", "2026-10-24T12:00", 2) == ["25 02:30 +0200", "26 02:30 +0100"]


def test_a_line_with_a_star_goes_by_the_time_that_passes() -> None:
    assert local("30 * * * *", "2026-10-25T01:40") == [
        "25 02:30 +0200",
        "25 02:30 +0100",
        "25 03:30 +0100",
    ]
    assert local("*/30 * * * *", "2026-03-29T01:40", 2) == ["29 03:00 +0200", "29 03:30 +0200"]


def test_a_name_stands_for_its_line() -> None:
    for name, line in cron.NAMES.items():
        assert local(name, "2026-01-01T00:00") == local(line, "2026-01-01T00:00")


def test_leap_days_and_last_days_are_found() -> None:
    assert local("0 9 29 2 *", "2026-01-01T00:00", 1) == ["29 09:00 +0100"]
    assert local("0 9 L * *", "2027-02-01T00:00", 1) == ["28 09:00 +0100"]


@pytest.mark.parametrize(
    "line",
    [
        "0 0 30 2 *",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "a b c d e",
        "@never",
        "*/0 * * * *",
        "",
    ],
)
def test_a_line_that_is_none_is_refused_with_its_place(line: str) -> None:
    with pytest.raises(UserError) as caught:
        cron.read(line, field="spec.cron[2]")
    assert caught.value.field == "spec.cron[2]"
    assert "give minute, hour" in caught.value.message


@pytest.mark.parametrize("name", ["Mars/Base", "right/UTC", "localtime", "../UTC", "Europe"])
def test_an_unknown_zone_is_refused_with_its_place(name: str) -> None:
    with pytest.raises(UserError) as caught:
        zones.find(name, field="spec.timeZone")
    assert caught.value.field == "spec.timeZone"


@given(
    st.sampled_from(LINES),
    st.sampled_from(ODD),
    st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)),  # noqa: DTZ001
)
def test_the_times_after_any_instant_rise_and_are_the_same_from_wherever_one_looks(
    line: str, name: str, at: datetime
) -> None:
    begin, zone = at.replace(tzinfo=UTC), ZoneInfo(name)
    read = cron.read(line, field="f")
    found = list(islice(read.after(begin, zone), 6))
    assert all(one < other for one, other in zip([begin, *found], found, strict=False))
    for n, each in enumerate(found[:-1]):
        assert next(read.after(each, zone)) == found[n + 1]
