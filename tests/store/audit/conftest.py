"""The audit log of one test's database, and its owner, who may do anything."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeAlias

import asyncpg
import pytest_asyncio

from coxswain.reconcile.sealing import Sealing
from coxswain.store.pool import Store
from tests.support import audit_log
from tests.support.postgres import Database

Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@pytest_asyncio.fixture
async def owner(database: Database) -> AsyncIterator[Owner]:
    """The database's owner."""
    connection = await asyncpg.connect(database.owner)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def sealing(operator_store: Store, tmp_path: Path) -> Sealing:
    """The leader's sealing, with key 1."""
    return await audit_log.sealer(operator_store, tmp_path)
