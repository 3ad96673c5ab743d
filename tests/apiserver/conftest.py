"""Every test of this tier gets its API server from here, and what runs against it."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from coxswain.kube.client import Client
from devtools import patience
from devtools.controlplane import ControlPlane
from tests.support import leader, warm
from tests.support.apiserver import client, namespace, plane
from tests.support.leader import Installation, Operator, Starting
from tests.support.postgres import (
    Database,
    copies,
    database,
    module_database,
    opened,
    postgres,
)
from tests.support.workspace import Ledger, Workspace

__all__ = ["client", "copies", "database", "module_database", "namespace", "plane", "postgres"]


@pytest.fixture(scope="session")
def operators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starting]:
    """Starts an operator that need not import; test_banners starts them all as a container does."""
    with warm.running(tmp_path_factory.mktemp("warm")) as server:
        yield server.start


@pytest.fixture(scope="session")
def installation(plane: ControlPlane, operators: Starting) -> Installation:
    """The chart's roles and the doors, in the one control plane."""
    return leader.install(plane, start=operators)


@pytest.fixture(scope="module")
def operator_settings() -> dict[str, Any]:
    """What the operator of a module is told beside the usual; a module with wishes has its own."""
    return {}


@pytest.fixture(scope="module")
def operator(
    installation: Installation,
    module_database: Database,
    operator_settings: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Operator]:
    """One operator for the tests of a module, each in a workspace of its own."""
    folder = tmp_path_factory.mktemp("operator")
    with installation.operator(module_database, folder, **operator_settings) as started:
        patience.until(lambda: "" if "event=leading" in started.text else "an operator to lead", 30)
        yield started
        assert started.terminate() == 0


@pytest_asyncio.fixture
async def workspace(
    client: Client, installation: Installation, namespace: str
) -> AsyncIterator[Workspace]:
    """A fresh onboarded workspace."""
    async with leader.onboarded(client, installation, namespace):
        yield Workspace(client, namespace)


@pytest_asyncio.fixture
async def ledger(module_database: Database) -> AsyncIterator[Ledger]:
    """The records of the module's operator, as the sidecar sees them."""
    async with opened(module_database.sidecar) as store:
        yield Ledger(store)
