"""A receiver on loopback, and an installation that may tell it."""

from collections.abc import AsyncIterator

import pytest_asyncio

from coxswain.store.pool import Store
from tests.support.callbacks import Office
from tests.support.receiver import Receiver


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as serving:
        yield serving


@pytest_asyncio.fixture
async def office(operator_store: Store, gateway_store: Store, receiver: Receiver) -> Office:
    """An installation that lists the receiver's origin."""
    return Office(operator_store, gateway_store, origins=[f"http://a.test:{receiver.port}"])
