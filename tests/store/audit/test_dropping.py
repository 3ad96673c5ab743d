"""Rows go by whole seals where somebody asked for it; the chain stays, and a restored one goes on."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from coxswain.reconcile.fence import Fence
from coxswain.reconcile.retention import Retention
from coxswain.reconcile.sealing import Sealing
from coxswain.settings import RetentionSettings
from coxswain.store import audit, audit_seals
from coxswain.store.audit import Query
from coxswain.store.pool import Store
from tests.support import audit_log
from tests.support.audit_log import Line, entry, exported, verified
from tests.support.postgres import Database, Server, opened


async def seals(store: Store, sealing: Sealing, count: int, **fields: Any) -> None:
    for _ in range(count):
        await store.run(audit.write, entry(**fields))
        await sealing.once()


async def older(owner: Any, upto: int, interval: str = "400 days") -> None:
    """Make seals older than they are; their signatures no longer fit."""
    await owner.execute("ALTER TABLE audit_seals DISABLE TRIGGER USER")
    await owner.execute(
        f"UPDATE audit_seals SET sealed_at = sealed_at - interval '{interval}' WHERE number <= $1",  # noqa: S608
        upto,
    )
    await owner.execute("ALTER TABLE audit_seals ENABLE TRIGGER USER")


async def retention(store: Store, days: int | None) -> Retention:
    fence = Fence(store, "one")
    fence.begin(1)
    await fence.take()
    return Retention(fence, RetentionSettings(audit_kept_days=days))


async def numbers(store: Store) -> list[int | None]:
    page = await store.run(audit.page, Query())
    return sorted((row.seal for row in page.rows), key=lambda seal: seal or 0)


async def test_nothing_goes_unless_somebody_asked_for_it(
    owner: Any, operator_store: Store, sidecar_store: Store, sealing: Sealing
) -> None:
    await seals(sidecar_store, sealing, 2)
    await older(owner, 2, "30 years")
    await (await retention(operator_store, None)).once()
    assert await numbers(sidecar_store) == [1, 2]


async def test_rows_of_old_seals_go_and_a_row_says_so(
    owner: Any, operator_store: Store, sidecar_store: Store, sealing: Sealing
) -> None:
    await seals(sidecar_store, sealing, 3)
    await seals(sidecar_store, sealing, 1, workspace="other")
    await older(owner, 2)
    await (await retention(operator_store, 365)).once()
    rows = (await sidecar_store.run(audit.page, Query(workspace="team"))).rows
    told = [row.entry for row in rows if row.seal is None]
    assert [(each.action, each.actor.kind) for each in told] == [("drop_audit", "operator")]
    assert told[0].details == {"first": 1, "last": 2, "rows": 2}
    assert [row.seal for row in rows if row.seal is not None] == [3]
    assert await operator_store.run(audit_seals.drop, 365) == 0


async def test_the_chain_is_whole_without_the_rows_that_went(
    operator_store: Store, sidecar_store: Store, sealing: Sealing, owner: Any
) -> None:
    await seals(sidecar_store, sealing, 3)
    before = audit_log.heads(await exported(sidecar_store))
    # As drop_audit does, for seals that are not old.
    await owner.execute("UPDATE audit_seals SET dropped_at = now() WHERE number <= 2")
    await owner.execute("DELETE FROM audit WHERE seal <= 2")
    lines = await exported(sidecar_store)
    assert not verified(lines).is_sound
    found = verified(lines, former=before, allow_dropped=True)
    assert found.is_sound, found.flaws
    assert (found.dropped, found.rows) == (2, 1)


class Dropping:
    """A store in which a seal's rows are dropped between the looks at the seal and at its rows."""

    def __init__(self, store: Store, owner: Any) -> None:
        self._store = store
        self._owner = owner

    async def run(self, operation: Any, *args: Any) -> Any:
        if operation is audit_seals.covered:
            await self._owner.execute(
                "UPDATE audit_seals SET dropped_at = now() WHERE dropped_at IS NULL"
            )
            await self._owner.execute("DELETE FROM audit WHERE seal IS NOT NULL")
        return await self._store.run(operation, *args)


async def test_rows_that_are_dropped_while_they_are_exported_are_told_as_dropped(
    sidecar_store: Store, sealing: Sealing, owner: Any
) -> None:
    await seals(sidecar_store, sealing, 1)
    store: Any = Dropping(sidecar_store, owner)
    found = verified(await exported(store), allow_dropped=True)
    assert found.is_sound, found.flaws
    assert found.dropped == 1


async def test_nothing_of_the_last_day_goes_and_no_young_seal_before_an_old_one(
    owner: Any, operator_store: Store, sidecar_store: Store, sealing: Sealing
) -> None:
    await seals(sidecar_store, sealing, 3)
    assert await operator_store.run(audit_seals.drop, -10) == 0
    await owner.execute("ALTER TABLE audit_seals DISABLE TRIGGER USER")
    await owner.execute(
        "UPDATE audit_seals SET sealed_at = now() - interval '9 days' WHERE number = 2"
    )
    assert await operator_store.run(audit_seals.drop, 5) == 0
    assert await numbers(sidecar_store) == [1, 2, 3]


async def gone_on(database: Database, folder: Path, **fields: Any) -> list[Line]:
    """A further seal, and the export then."""
    async with opened(database.operator) as operator, opened(database.sidecar) as sidecar:
        await seals(sidecar, await audit_log.sealer(operator, folder), 1, **fields)
        return await exported(sidecar)


async def test_a_copy_of_the_database_goes_on_and_says_that_it_is_another(
    postgres: Server,
    database: Database,
    sidecar_store: Store,
    operator_store: Store,
    sealing: Sealing,
    tmp_path: Path,
) -> None:
    await seals(sidecar_store, sealing, 2)
    for store in (sidecar_store, operator_store):
        await store.close()
    copy = await asyncio.to_thread(postgres.create, of=database)
    try:
        beyond = audit_log.heads(await gone_on(database, tmp_path))
        lines = await gone_on(copy, tmp_path, reason="anew")
    finally:
        await asyncio.to_thread(postgres.drop, copy)
    found = verified(lines)
    assert found.is_sound, found.flaws
    assert [note for note in found.notes if "seal 3" in note and "another database" in note]
    flaws = verified(lines, former=beyond).flaws
    assert len(flaws) == 1
    assert "forked" in flaws[0]


@pytest.mark.parametrize("days", [0, -1])
def test_no_time_at_all_is_refused(days: int) -> None:
    with pytest.raises(ValueError, match="audit_kept_days"):
        RetentionSettings(audit_kept_days=days)
