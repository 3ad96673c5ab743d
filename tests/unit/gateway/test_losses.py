"""How far back a gateway looks for connections of one that was killed."""

import asyncio
from datetime import timedelta

import pytest

from coxswain.errors import UnavailableError
from coxswain.gateway.egress import losses


async def looks(*answers: int | UnavailableError) -> list[timedelta]:
    """How far back each look went, given what the looks come to."""
    left, seen = list(answers), list[timedelta]()

    async def close(back: timedelta) -> int:
        if not left:
            raise asyncio.CancelledError
        seen.append(back)
        found = left.pop(0)
        if isinstance(found, UnavailableError):
            raise found
        return found

    with pytest.raises(asyncio.CancelledError):
        await losses.run(close, seconds=0)
    return seen


async def test_it_looks_far_back_until_nothing_is_left_there() -> None:
    assert await looks(500, 3, 0, 2, 0) == [losses.FIRST] * 3 + [losses.LATER] * 2


async def test_after_a_failure_it_looks_far_back_again() -> None:
    away = UnavailableError("away")
    assert await looks(0, 0, away, 0) == [losses.FIRST, losses.LATER, losses.LATER, losses.FIRST]
