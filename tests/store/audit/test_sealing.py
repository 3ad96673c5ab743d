"""Every row is sealed once, whatever its writers do, and whoever of the sealers dies where."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from coxswain.errors import CoxswainError, FencedError
from coxswain.reconcile.fence import Fence
from coxswain.reconcile.sealing import Sealing
from coxswain.store import audit, audit_seals, leadership, pool
from coxswain.store.audit import Query
from coxswain.store.pool import Connection, Store
from coxswain.telemetry import metrics
from tests.support import audit_log
from tests.support.audit_log import entry, exported, keys, verified
from tests.support.postgres import Database, opened


async def write(store: Store, count: int, **fields: Any) -> None:
    for _ in range(count):
        await store.run(audit.write, entry(**fields))


WAITS = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"


def failed() -> float:
    """Seals that could not be made, of whatever reason."""
    (metric,) = metrics.AUDIT_SEAL_FAILURES.collect()
    return sum(each.value for each in metric.samples if each.name.endswith("_total"))


async def sealed_rows(store: Store) -> list[tuple[int | None, int | None]]:
    page = await store.run(audit.page, Query(), limit=10_000)
    return sorted((row.seal or 0, row.place or 0) for row in page.rows)


async def test_what_waits_is_sealed_and_the_export_is_sound(
    sidecar_store: Store, sealing: Sealing
) -> None:
    await write(sidecar_store, 3)
    await write(sidecar_store, 2, workspace="")
    await sealing.once()
    await write(sidecar_store, 1)
    await sealing.once()
    await write(sidecar_store, 1)
    found = verified(await exported(sidecar_store))
    assert found.is_sound, found.flaws
    assert (found.seals, found.rows, found.unsealed) == (3, 6, 1)
    assert {name: head.number for name, head in found.heads.items()} == {"": 1, "team": 2}


async def test_nothing_new_makes_no_seal(sidecar_store: Store, sealing: Sealing) -> None:
    await write(sidecar_store, 1)
    for _ in range(3):
        await sealing.once()
    assert verified(await exported(sidecar_store)).seals == 1


async def test_many_rows_have_several_seals_of_bounded_size(
    owner: Any, sidecar_store: Store, sealing: Sealing
) -> None:
    await owner.execute(
        "INSERT INTO audit (id, workspace, actor_kind, actor_name, action, outcome)"
        " SELECT gen_random_uuid(), 'team', 'user', 'ada', 'x', 'done' FROM generate_series(1, 1201)"
    )
    await sealing.once()
    found = verified(await exported(sidecar_store))
    assert found.is_sound, found.flaws
    assert (found.seals, found.rows) == (3, 1201)


async def test_a_row_that_is_committed_late_is_in_the_next_seal(
    database: Database, sidecar_store: Store, sealing: Sealing
) -> None:
    late = await asyncpg.connect(database.sidecar)
    await pool.prepare(late)
    transaction = late.transaction()
    await transaction.start()
    await audit.write(late, entry("early_and_late"))
    await write(sidecar_store, 2)
    await sealing.once()
    await transaction.commit()
    await late.close()
    await sealing.once()
    assert await sealed_rows(sidecar_store) == [(1, 1), (1, 2), (2, 1)]
    assert verified(await exported(sidecar_store)).is_sound


async def test_writers_at_once_some_rolled_back_some_slow_lose_no_row_to_the_sealer(
    database: Database, sealing: Sealing
) -> None:
    kept = 0
    async with opened(database.sidecar, connections=12) as store:

        async def writer(number: int) -> None:
            nonlocal kept
            for turn in range(12):
                is_kept = (number + turn) % 4 != 0

                async def work(connection: Connection, stays: bool = is_kept) -> None:
                    await audit.write(connection, entry(workspace=f"w{number % 3}"))
                    await connection.execute("SELECT pg_sleep($1)", 0.01 * (number % 5))
                    if not stays:
                        raise CoxswainError("rolled back")

                try:
                    await store.transact(work)
                    kept += 1
                except CoxswainError:
                    assert not is_kept

        writing = asyncio.gather(*(writer(number) for number in range(10)))
        while not writing.done():
            await sealing.once()
            await asyncio.sleep(0)
        await writing
        await sealing.once()
        found = verified(await exported(store))
        assert found.is_sound, found.flaws
        assert found.rows == kept
        assert found.unsealed == 0
        places = await sealed_rows(store)
        assert len(places) == kept


async def test_a_seal_waits_for_no_writer_and_no_writer_for_it(
    database: Database, sidecar_store: Store, sealing: Sealing
) -> None:
    await write(sidecar_store, 1)
    sealer = await asyncpg.connect(database.operator)
    await pool.prepare(sealer)
    transaction = sealer.transaction()
    await transaction.start()
    signed = sealing._signed
    await audit_seals.seal(sealer, "team", lambda ahead: signed(ahead, "team", keys()))
    # The seal is not committed, and rows of the same workspace go in all the same.
    async with asyncio.timeout(2):
        await write(sidecar_store, 3)
    await transaction.commit()
    await sealer.close()
    await sealing.once()
    assert verified(await exported(sidecar_store)).rows == 4


class Dying:
    """A connection that is lost with its nth statement: before it reaches the server, or after it was done."""

    def __init__(self, connection: Any, step: int, *, is_done: bool) -> None:
        self._connection = connection
        self._left = step
        self._is_done = is_done

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self._connection, name)

        async def ask(*args: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._is_done:
                self._die()
            answer = await asked(*args)
            if self._left == 0:
                self._die()
            return answer

        return ask

    def _die(self) -> None:
        self._connection.terminate()
        raise ConnectionResetError("killed")


STEPS = 5


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
async def test_a_sealer_that_dies_at_any_statement_leaves_the_chain_as_it_was(
    is_done: bool, database: Database, sidecar_store: Store, sealing: Sealing
) -> None:
    signed = sealing._signed
    for step in range(1, STEPS + 1):
        await write(sidecar_store, 2)
        connection = await asyncpg.connect(database.operator)
        await pool.prepare(connection)
        await connection.execute("BEGIN")
        dying: Any = Dying(connection, step, is_done=is_done)
        with pytest.raises(ConnectionResetError):
            await audit_seals.seal(dying, "team", lambda ahead: signed(ahead, "team", keys()))
        before = verified(await exported(sidecar_store))
        assert (before.seals, before.unsealed) == (step - 1, 2)
        await sealing.once()
        after = verified(await exported(sidecar_store))
        assert after.is_sound, after.flaws
        assert (after.seals, after.rows, after.unsealed) == (step, 2 * step, 0)


async def test_a_seal_takes_no_more_statements_than_are_killed(
    database: Database, sidecar_store: Store, sealing: Sealing
) -> None:
    await write(sidecar_store, 1)
    connection = await asyncpg.connect(database.operator)
    await pool.prepare(connection)
    counting: Any = Dying(connection, STEPS + 1, is_done=False)
    signed = sealing._signed
    await audit_seals.seal(counting, "team", lambda ahead: signed(ahead, "team", keys()))
    assert counting._left == 1
    await connection.close()


async def test_a_seal_whose_answer_was_lost_is_not_made_twice(
    operator_store: Store, sidecar_store: Store, sealing: Sealing
) -> None:
    await write(sidecar_store, 2)
    signed = sealing._signed
    for wanted in (2, 0):
        found = await operator_store.transact(
            audit_seals.seal, "team", lambda ahead: signed(ahead, "team", keys())
        )
        assert found == wanted
    assert verified(await exported(sidecar_store)).seals == 1


async def test_a_sealer_waits_for_another_one_and_goes_on_after_it(
    database: Database, owner: Any, sidecar_store: Store, sealing: Sealing
) -> None:
    await write(sidecar_store, 1)
    other = await asyncpg.connect(database.operator)
    await pool.prepare(other)
    transaction = other.transaction()
    await transaction.start()
    signed = sealing._signed
    await audit_seals.seal(other, "team", lambda ahead: signed(ahead, "team", keys()))
    await write(sidecar_store, 1)
    before = failed()
    waiting = asyncio.create_task(sealing.once())
    async with asyncio.timeout(10):
        while not await owner.fetchval(WAITS):  # noqa: ASYNC110 - another session does it
            await asyncio.sleep(0.01)
    await transaction.commit()
    await other.close()
    await waiting
    assert failed() == before
    assert await sealed_rows(sidecar_store) == [(1, 1), (2, 1)]


async def test_two_sealers_at_once_make_one_chain(
    database: Database, sidecar_store: Store, tmp_path: Path
) -> None:
    async with opened(database.operator) as one, opened(database.operator) as two:
        sealers = [await audit_log.sealer(each, tmp_path) for each in (one, two)]
        for _ in range(5):
            await write(sidecar_store, 3)
            await asyncio.gather(*(each.once() for each in sealers))
    found = verified(await exported(sidecar_store))
    assert found.is_sound, found.flaws
    assert (found.rows, found.unsealed) == (15, 0)


async def test_a_former_leader_seals_nothing(
    operator_store: Store, sidecar_store: Store, sealing: Sealing
) -> None:
    await write(sidecar_store, 1)
    await operator_store.transact(leadership.take, 2, "two")
    with pytest.raises(FencedError):
        await sealing.once()
    assert verified(await exported(sidecar_store)).seals == 0


async def test_the_next_leader_goes_on_with_the_chain(
    operator_store: Store, sidecar_store: Store, sealing: Sealing, tmp_path: Path
) -> None:
    await write(sidecar_store, 1)
    await sealing.once()
    fence = Fence(operator_store, "two")
    fence.begin(2)
    await fence.take()
    await write(sidecar_store, 1)
    await Sealing(fence, audit_log.INSTALLATION, tmp_path / "key").once()
    assert verified(await exported(sidecar_store)).seals == 2


async def test_a_new_key_goes_on_where_the_former_ended_and_both_are_published(
    operator_store: Store, sidecar_store: Store, sealing: Sealing, tmp_path: Path
) -> None:
    await write(sidecar_store, 1)
    await sealing.once()
    (tmp_path / "key").write_text(f"{audit_log.seed(2)}\nformer {keys(1).public.text}\n")
    await write(sidecar_store, 1)
    await sealing.once()
    both = keys(2, former=[1])
    assert verified(await exported(sidecar_store), by=both).is_sound
    assert not verified(await exported(sidecar_store)).is_sound
    published = await sidecar_store.run(audit.keys)
    assert [each.public_key for each in published] == [keys(1).public.text, both.public.text]
    assert [each.key_id for each in published] == [keys(1).public.id, both.public.id]


async def test_a_new_key_that_does_not_name_the_former_seals_nothing_and_says_so(
    sidecar_store: Store, sealing: Sealing, tmp_path: Path
) -> None:
    await write(sidecar_store, 1)
    await sealing.once()
    (tmp_path / "key").write_text(audit_log.seed(2))
    await write(sidecar_store, 1)
    before = failed()
    await sealing.once()
    assert verified(await exported(sidecar_store)).unsealed == 1
    assert failed() == before + 1


async def test_what_follows_a_seal_that_is_not_ours_is_not_sealed_and_other_chains_are(
    owner: Any, sidecar_store: Store, sealing: Sealing
) -> None:
    await write(sidecar_store, 1)
    await sealing.once()
    await owner.execute("ALTER TABLE audit_seals DISABLE TRIGGER USER")
    await owner.execute("UPDATE audit_seals SET root = repeat('0', 64)")
    await write(sidecar_store, 1)
    await write(sidecar_store, 1, workspace="other")
    before = failed()
    await sealing.once()
    assert failed() == before + 1
    found = verified(await exported(sidecar_store))
    assert found.heads["other"].number == 1
    assert found.heads["team"].number == 1
    assert found.unsealed == 1


@pytest.mark.parametrize("content", [None, "", "no key"], ids=["missing", "empty", "wrong"])
async def test_a_key_file_that_is_none_seals_nothing_and_is_told(
    content: str | None, sidecar_store: Store, sealing: Sealing, tmp_path: Path
) -> None:
    await write(sidecar_store, 1)
    if content is None:
        (tmp_path / "key").unlink()
    else:
        (tmp_path / "key").write_text(content)
    with pytest.raises(CoxswainError, match="no key for the audit log"):
        await sealing.once()
    assert verified(await exported(sidecar_store)).unsealed == 1


async def test_what_waits_is_measured_also_without_a_key(
    operator_store: Store, sidecar_store: Store, sealing: Sealing
) -> None:
    fence = Fence(operator_store, "one")
    fence.begin(1)
    await fence.take()
    await write(sidecar_store, 2)
    await Sealing(fence, "test", None).once()
    measured = metrics.REGISTRY.get_sample_value
    assert measured("coxswain_audit_unsealed_rows") == 2
    assert (measured("coxswain_audit_unsealed_oldest_seconds") or 0) > 0
    await sealing.once()
    assert measured("coxswain_audit_unsealed_rows") == 0


async def test_it_waits_until_the_database_knows_the_leader(
    operator_store: Store, sidecar_store: Store, tmp_path: Path
) -> None:
    await write(sidecar_store, 1)
    (tmp_path / "key").write_text(audit_log.seed(1))
    fence = Fence(operator_store, "one")
    fence.begin(1)
    before = failed()
    task = asyncio.create_task(Sealing(fence, "test", tmp_path / "key").run(period=60))
    await asyncio.sleep(0.1)
    assert (failed(), (await sidecar_store.run(audit_seals.backlog)).rows) == (before, 1)
    await fence.take()
    async with asyncio.timeout(10):
        while (await sidecar_store.run(audit_seals.backlog)).rows:  # noqa: ASYNC110 - the task does it
            await asyncio.sleep(0.02)
    task.cancel()


async def test_it_goes_on_after_a_failure(
    sidecar_store: Store, sealing: Sealing, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("no key")
    await write(sidecar_store, 1)
    task = asyncio.create_task(sealing.run(period=0.02))
    await asyncio.sleep(0.1)
    assert not task.done()
    (tmp_path / "key").write_text(audit_log.seed(1))
    async with asyncio.timeout(10):
        while (await sidecar_store.run(audit_seals.backlog)).rows:  # noqa: ASYNC110 - the task does it
            await asyncio.sleep(0.02)
    task.cancel()
