"""The kinds of the museum, once for each API server, and a room for each test."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from coxswain.kube.client import Client
from devtools.controlplane import ControlPlane
from tests.support import museum
from tests.support.museum import Museum


@pytest.fixture(scope="session")
def building(plane: ControlPlane) -> ControlPlane:
    asyncio.run(museum.build(plane.kubeconfig))
    return plane


@pytest_asyncio.fixture
async def room(
    building: ControlPlane, client: Client, namespace: str, tmp_path: Path
) -> AsyncIterator[Museum]:
    async with museum.museum(building, client, namespace, tmp_path) as opened:
        yield opened
