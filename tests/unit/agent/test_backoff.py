"""How long the agent program waits before it tries again."""

import time
from collections import deque

import aiohttp
import pytest

from coxswain.errors import TransientError
from coxswain_agent import backoff
from coxswain_agent.contract import Platform
from tests.support.platform_door import FakePlatform, document


async def test_it_waits_as_long_as_the_platform_asks_for() -> None:
    platform = FakePlatform(document(), fault_headers={"Retry-After": "30"})
    platform.faults["heartbeat"] = deque([503])
    headers = {"Authorization": f"Bearer {platform.token}"}
    async with platform, aiohttp.ClientSession(headers=headers) as http:
        with pytest.raises(TransientError) as caught:
            await Platform(http, platform.url).heartbeat()
    assert caught.value.retry_after_seconds == 30
    assert backoff.pause(1, caught.value) == 30


def test_nobody_asks_it_to_wait_longer_than_the_policy_does() -> None:
    waits = [backoff.pause(failures, TransientError("x")) for failures in (1, 100) * 50]
    assert min(waits) >= 0
    assert max(waits[::2]) <= 0.4
    assert max(waits) <= 8


async def test_a_moment_ends_it_with_the_last_error() -> None:
    tries = 0

    async def attempt() -> None:
        nonlocal tries
        tries += 1
        raise TransientError("away", retry_after_seconds=60)

    with pytest.raises(TransientError):
        await backoff.persist(attempt, time.monotonic() + 30)
    assert tries == 1
