"""Leases whose end nobody saw: made and deleted while no operator looked."""

import asyncio
from pathlib import Path
from uuid import uuid4

from coxswain.api.lease import LeaseSpec
from coxswain.api.records import NewLease
from coxswain.store.leases import keeping, rows
from devtools import patience
from tests.support import postgres
from tests.support.leader import Installation
from tests.support.postgres import Database


async def test_a_row_without_an_object_is_dropped_when_an_operator_starts(
    installation: Installation, database: Database, tmp_path: Path
) -> None:
    orphan = NewLease("nowhere", "orphan", str(uuid4()), LeaseSpec(resource="git:main"))
    place = ("nowhere", "orphan")
    async with postgres.opened(database.operator) as store:
        await store.transact(keeping.define, orphan)
        with installation.operator(database, tmp_path) as operator:

            def leads() -> str:
                return "" if "event=leading" in operator.text else "an operator to lead"

            await asyncio.to_thread(patience.until, leads, 60)
            async with asyncio.timeout(60):
                while not (await store.run(rows.of, [place]))[place].is_removed:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            await asyncio.to_thread(operator.terminate)
