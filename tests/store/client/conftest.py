"""The running API, and clients of it: before a wire that can be cut."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from coxswain.client import AsyncClient
from tests.support import wire as wires
from tests.support.calls import QUICK
from tests.support.leases import Leases
from tests.support.sidecar_api import LOCAL_TOKEN, Api
from tests.support.sidecar_api import api as api
from tests.support.wire import Wire


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
