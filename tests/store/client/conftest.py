"""The running API, and clients of it: before a wire that can be cut."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from coxswain.client import AsyncClient
from coxswain.store.pool import Store
from tests.support import wire as wires
from tests.support.calls import QUICK, SOON
from tests.support.leases import Leases
from tests.support.postgres import Database
from tests.support.sidecar_api import LOCAL_TOKEN, Api, running
from tests.support.wire import Wire


@pytest_asyncio.fixture
async def api(database: Database, operator_store: Store, tmp_path: Path) -> AsyncIterator[Api]:
    """The API for one test; readers of its streams are told to come back soon."""
    async with running(database, operator_store, tmp_path, return_seconds=SOON) as started:
        yield started


@pytest_asyncio.fixture
async def wire(api: Api) -> AsyncIterator[Wire]:
    """A proxy before the API."""
    async with wires.before(api.url) as found:
        yield found


@pytest_asyncio.fixture
async def client(wire: Wire) -> AsyncIterator[AsyncClient]:
    """The client of a person, through the proxy."""
    async with AsyncClient(wire.url, LOCAL_TOKEN, policy=QUICK) as found:
        yield found


@pytest.fixture
def leases(api: Api) -> Leases:
    """The leases of the database, as the operator keeps them."""
    return Leases(api.operator, api.operator)
