"""Where a gateway looks for connections of one that was killed."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from coxswain.errors import UnavailableError
from coxswain.gateway.egress import losses
from coxswain.store.connections import Looked

START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = START + timedelta(minutes=15)
AWAY = UnavailableError("away")


class EnoughError(Exception):
    """There is no answer left."""


async def looks(
    *answers: Looked | UnavailableError, seconds: float = 0.0, pause: float = 0.0
) -> list[datetime | None]:
    """Where each look began, given what the looks come to."""
    left, seen = list(answers), list[datetime | None]()

    async def close(since: datetime | None) -> Looked:
        if not left:
            raise EnoughError
        seen.append(since)
        found = left.pop(0)
        if isinstance(found, UnavailableError):
            raise found
        return found

    with pytest.raises(EnoughError):
        await losses.run(close, seconds=seconds, pause=pause)
    return seen


async def test_each_look_begins_where_the_last_one_ended() -> None:
    told = [Looked(500, START, is_more=True), Looked(3, LATER, is_more=False)]
    assert await looks(*told) == [None, START]
    assert await looks(*told, Looked(0, LATER, is_more=False)) == [None, START, LATER]


async def test_after_a_failure_it_goes_on_from_where_it_was() -> None:
    told = Looked(0, LATER, is_more=False)
    assert await looks(told, AWAY, AWAY, told) == [None, LATER, LATER, LATER]
    assert await looks(AWAY, told) == [None, None]


async def test_what_is_behind_is_looked_at_without_waiting_for_the_next_minute() -> None:
    behind = Looked(0, START, is_more=True)
    async with asyncio.timeout(5):
        assert await looks(behind, behind, behind, seconds=60) == [None, START, START]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await looks(Looked(0, START, is_more=False), seconds=60)
