"""Ids of events: in the order in which they were given, whatever the clock does."""

from coxswain.client.event_ids import Ids
from coxswain.store import uuid7


def test_ids_are_version_7_and_hold_the_time() -> None:
    found = Ids(lambda: 1_764_410_400.5).next()
    assert uuid7.is_random(found)
    assert uuid7.time_of(found).isoformat() == "2025-11-29T10:00:00.500000+00:00"


def test_ids_grow_within_a_millisecond_and_past_its_4096th() -> None:
    ids = Ids(lambda: 1000.0)
    found = [ids.next() for _ in range(5000)]
    assert found == sorted(found)
    assert len({*found}) == 5000


def test_ids_grow_when_the_clock_is_set_back() -> None:
    times = iter([2000.0, 1000.0, 1500.0])
    ids = Ids(lambda: next(times))
    found = [ids.next() for _ in range(3)]
    assert found == sorted(found)
