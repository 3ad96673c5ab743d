"""What has been kept for long enough goes, whole and in order; everything else stays."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from coxswain.api.contract import ResultStatus, RunResult
from coxswain.api.deliveries import DeliveryState, Outcome, Settled, Try
from coxswain.errors import FencedError
from coxswain.process import gauges
from coxswain.reconcile.fence import Fence
from coxswain.reconcile.retention import Retention
from coxswain.settings import RetentionSettings
from coxswain.store import (
    approvals,
    artifacts,
    claims,
    deliveries,
    egress_amounts,
    leadership,
    mirror,
    outbox,
    reports,
    results,
    retention,
    runs,
    usage,
    uuid7,
    verdicts,
)
from coxswain.store.approvals import Word
from coxswain.store.deliveries import Room
from coxswain.store.pool import Store
from coxswain.store.verdicts import Verdict
from coxswain.telemetry import metrics
from tests.support import ended, rows
from tests.support.postgres import Database
from tests.support.waiting import until

WAITS = (
    "SELECT true FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
)
KEPT = RetentionSettings(deliveries_kept_days=30, records_kept_days=365)


@pytest.fixture
async def admin(database: Database) -> AsyncIterator[Any]:
    """Turns the database's clock: rows are made older."""
    connection = await asyncpg.connect(database.admin)
    yield connection
    await connection.close()


@pytest.fixture
async def dropping(operator_store: Store) -> Retention:
    fence = Fence(operator_store, "one")
    fence.begin(1)
    await fence.take()
    return Retention(fence, KEPT)


async def gone_job(operator: Store, sidecar: Store, gateway: Store, name: str) -> str:
    """A Job with everything that it can leave behind, whose object is gone."""
    job = rows.job(name, phase="Succeeded")
    new = replace(rows.new_run(job.uid), job_name=name)
    owner = rows.pod(name=new.pod_name)
    await operator.transact(mirror.write, [job], [])
    await operator.transact(runs.open_run, new)
    await sidecar.transact(claims.claim, new.key, owner)
    for file in ("a", "b"):
        await sidecar.transact(artifacts.put, owner.uid, file, "text/plain", b"x")
    done = RunResult(status=ResultStatus.SUCCEEDED, artifacts=["a", "b"])
    await sidecar.transact(reports.post_result, owner.uid, done)
    await gateway.run(egress_amounts.grant, new.key, 1, 10)
    await sidecar.transact(approvals.give, Word("team", name, job.uid, "ada", "hash", True))
    await operator.transact(mirror.mark_deleted, [job.uid], [])
    return job.uid


async def count(admin: Any, table: str, uid: str, column: str = "job_uid") -> int:
    statement = f"SELECT count(*) FROM {table} WHERE {column} = $1"  # noqa: S608 - a test's own
    found: int = await admin.fetchval(statement, uid)
    return found


async def left(admin: Any, uid: str) -> dict[str, int]:
    tables = ("runs", "artifacts", "egress_amounts", "approvals")
    found = {table: await count(admin, table, uid) for table in tables}
    return found | {"mirror": await count(admin, "mirror", uid, "uid")}


async def more_files(admin: Any, uid: str, count: int, size: int) -> None:
    """So many files more, of a size that their rows claim."""
    await admin.execute(
        "INSERT INTO artifacts (job_uid, attempt, name, sha256, bytes, content)"
        " SELECT $1, 1, 'f' || n, '', $3, 'x' FROM generate_series(1, $2) AS n",
        uid,
        count,
        size,
    )


def counted(kind: str) -> float:
    found = metrics.REGISTRY.get_sample_value("coxswain_records_dropped_total", {"kind": kind})
    return found or 0.0


async def test_what_a_job_left_goes_once_it_is_gone_for_so_long(
    operator_store: Store,
    sidecar_store: Store,
    gateway_store: Store,
    admin: Any,
    dropping: Retention,
) -> None:
    stores = (operator_store, sidecar_store, gateway_store)
    old, young = [await gone_job(*stores, name) for name in ("old", "young")]
    await admin.execute(
        "UPDATE mirror SET deleted_at = now() - interval '366 days' WHERE uid = $1", old
    )
    await admin.execute(
        "UPDATE mirror SET deleted_at = now() - interval '364 days' WHERE uid = $1", young
    )
    await admin.execute(
        "INSERT INTO asked_calls (job_uid, attempt, hash, tool, arguments, until)"
        " SELECT job_uid, 1, 'h', 't', '{}', now() FROM unnest($1::uuid[]) AS job_uid",
        [old, young],
    )
    await dropping.once()
    assert set((await left(admin, old)).values()) == {0}
    assert [await count(admin, "asked_calls", each) for each in (old, young)] == [0, 1]
    assert await left(admin, young) == {
        "runs": 1,
        "artifacts": 2,
        "egress_amounts": 1,
        "approvals": 1,
        "mirror": 1,
    }
    assert await operator_store.run(results.of_job, young) is not None


async def test_a_job_that_lives_keeps_all_of_it_however_old(
    operator_store: Store,
    sidecar_store: Store,
    gateway_store: Store,
    admin: Any,
    dropping: Retention,
) -> None:
    uid = await gone_job(operator_store, sidecar_store, gateway_store, "lives")
    await admin.execute(
        "UPDATE mirror SET deleted_at = NULL, created_at = now() - interval '9 years'"
    )
    await dropping.once()
    assert (await left(admin, uid))["artifacts"] == 2


async def test_a_job_whose_run_is_still_open_waits_for_its_end(
    operator_store: Store,
    sidecar_store: Store,
    gateway_store: Store,
    admin: Any,
    dropping: Retention,
) -> None:
    uid = await gone_job(operator_store, sidecar_store, gateway_store, "late")
    await admin.execute("UPDATE mirror SET deleted_at = now() - interval '2 years'")
    await admin.execute("UPDATE runs SET closed_at = NULL")
    await dropping.once()
    assert (await left(admin, uid))["runs"] == 1


async def test_many_files_go_by_and_by_results_before_them_and_each_counts_once(
    operator_store: Store,
    sidecar_store: Store,
    gateway_store: Store,
    admin: Any,
    dropping: Retention,
) -> None:
    uid = await gone_job(operator_store, sidecar_store, gateway_store, "large")
    await admin.execute("UPDATE mirror SET deleted_at = now() - interval '2 years'")
    await more_files(admin, uid, 98, 1)
    files, objects = counted("files"), counted("objects")
    assert await operator_store.run(retention.drop_objects, 365) == 0
    assert await operator_store.run(retention.drop_files, 365) == 50
    assert await left(admin, uid) == {
        "runs": 0,
        "artifacts": 50,
        "egress_amounts": 1,
        "approvals": 1,
        "mirror": 1,
    }
    await dropping.once()
    assert set((await left(admin, uid)).values()) == {0}
    assert (counted("files") - files, counted("objects") - objects) == (50, 1)


async def test_large_files_go_so_many_bytes_at_a_time(
    operator_store: Store, sidecar_store: Store, gateway_store: Store, admin: Any
) -> None:
    uid = await gone_job(operator_store, sidecar_store, gateway_store, "large")
    await admin.execute("UPDATE mirror SET deleted_at = now() - interval '2 years'")
    await more_files(admin, uid, 5, 16 * 1024 * 1024)
    went = [await operator_store.run(retention.drop_files, 365) for _ in range(4)]
    # The first two are small; 32 MiB are full with the second of the large ones.
    assert went == [4, 2, 1, 0]


async def test_a_line_that_cannot_be_dropped_does_not_keep_the_others(
    operator_store: Store,
    sidecar_store: Store,
    gateway_store: Store,
    admin: Any,
    dropping: Retention,
    capsys: pytest.CaptureFixture[str],
) -> None:
    uid = await gone_job(operator_store, sidecar_store, gateway_store, "old")
    await admin.execute("UPDATE mirror SET deleted_at = now() - interval '2 years'")
    await admin.execute("REVOKE EXECUTE ON FUNCTION drop_ended_deliveries FROM coxswain_operator")
    await dropping.once()
    assert (await left(admin, uid))["mirror"] == 0
    (line,) = [each for each in capsys.readouterr().out.splitlines() if "cannot be dropped" in each]
    assert "deliveries" in line


async def test_the_word_on_an_agents_models_goes_with_its_agent(
    operator_store: Store, gateway_store: Store, admin: Any, dropping: Retention
) -> None:
    gone, lives = rows.job("gone", kind="Agent"), rows.job("lives", kind="Agent")
    await operator_store.transact(mirror.write, [gone, lives], [])
    for each in (gone, lives):
        said = Verdict(each.uid, "team", each.name, 1, True, "Good")
        await gateway_store.transact(verdicts.put, said)
    await operator_store.transact(mirror.mark_deleted, [gone.uid], [])
    await admin.execute(
        "UPDATE mirror SET deleted_at = now() - interval '2 years' WHERE uid = $1", gone.uid
    )
    await dropping.once()
    assert set(await operator_store.run(verdicts.of, [gone.uid, lives.uid])) == {lives.uid}


async def delivered(operator: Store, gateway: Store, name: str, state: DeliveryState) -> Any:
    """A delivery that was tried once, and what came of it."""
    owed = ended.delivery(name)
    await operator.transact(deliveries.owe, [owed])
    (claimed,) = await gateway.run(deliveries.claim, Room(10, 10, {}), 60.0)
    tried = Try(1, datetime.now(UTC), 5, 200)
    outcome = Outcome(claimed, Settled(state), tried, rows.event("callback.failed"))
    await gateway.transact(deliveries.settle, [outcome])
    return owed


async def test_callbacks_go_with_their_tries_once_they_have_ended_for_so_long(
    operator_store: Store, gateway_store: Store, admin: Any, dropping: Retention
) -> None:
    stores = (operator_store, gateway_store)
    old = await delivered(*stores, "old", DeliveryState.DELIVERED)
    dead = await delivered(*stores, "dead", DeliveryState.DEAD)
    young = await delivered(*stores, "young", DeliveryState.DEAD)
    waiting = await delivered(*stores, "waiting", DeliveryState.PENDING)
    await admin.execute("UPDATE deliveries SET created_at = now() - interval '40 days'")
    await admin.execute(
        "UPDATE deliveries SET ended_at = ended_at - interval '31 days' WHERE id = ANY ($1::uuid[])",
        [old.id, dead.id],
    )
    await dropping.once()
    page = await operator_store.run(outbox.page, outbox.Query())
    assert {each.id for each in page.items} == {young.id, waiting.id}
    kept = await admin.fetch("SELECT delivery_id FROM delivery_tries")
    assert {row["delivery_id"] for row in kept} == {young.id, waiting.id}


async def test_the_callback_of_a_job_that_lives_stays_so_that_it_is_not_owed_anew(
    operator_store: Store, gateway_store: Store, admin: Any, dropping: Retention
) -> None:
    owed = await delivered(operator_store, gateway_store, "lives", DeliveryState.DELIVERED)
    await operator_store.transact(mirror.write, [rows.job("lives", uid=str(owed.job_uid))], [])
    await admin.execute("UPDATE deliveries SET ended_at = now() - interval '90 days'")
    await dropping.once()
    assert await operator_store.transact(deliveries.owe, [owed]) == 0
    await operator_store.transact(mirror.mark_deleted, [str(owed.job_uid)], [])
    await dropping.once()
    assert await count(admin, "deliveries", owed.id, "id") == 0


async def test_a_callback_that_is_driven_again_meanwhile_stays(
    database: Database, operator_store: Store, gateway_store: Store, admin: Any
) -> None:
    owed = await delivered(operator_store, gateway_store, "again", DeliveryState.DEAD)
    await admin.execute("UPDATE deliveries SET ended_at = now() - interval '90 days'")
    person = await asyncpg.connect(database.sidecar)
    redrive = person.transaction()
    await redrive.start()
    await person.execute("UPDATE deliveries SET state = 'Pending', ended_at = NULL")
    dropping = asyncio.create_task(operator_store.run(retention.drop_deliveries, 30))
    async with asyncio.timeout(10):
        while not await admin.fetchval(WAITS):  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.01)
    await redrive.commit()
    await person.close()
    assert await dropping == 0
    assert await count(admin, "deliveries", owed.id, "id") == 1
    assert await count(admin, "delivery_tries", owed.id, "delivery_id") == 1


async def test_rows_of_model_calls_go_by_their_age(
    operator_store: Store, gateway_store: Store, dropping: Retention
) -> None:
    now, job = datetime.now(UTC), str(uuid4())
    for days in (364, 366):
        call = usage.Call(
            id=uuid7.new(now - timedelta(days=days)),
            workspace="team",
            agent_name="reader",
            job_uid=job,
            attempt=1,
            alias="default",
            provider="demo",
            model="demo",
            milliseconds=days,
            streamed=False,
            outcome="ok",
        )
        await gateway_store.run(usage.record, call)
    await dropping.once()
    assert [each.milliseconds for each in await gateway_store.run(usage.of_job, job)] == [364]


async def test_nothing_of_the_last_day_goes_whatever_is_asked_for(
    operator_store: Store, sidecar_store: Store, gateway_store: Store, admin: Any
) -> None:
    uid = await gone_job(operator_store, sidecar_store, gateway_store, "fresh")
    await delivered(operator_store, gateway_store, "fresh", DeliveryState.DEAD)
    await admin.execute("UPDATE mirror SET deleted_at = now() - interval '23 hours'")
    await admin.execute("UPDATE deliveries SET ended_at = now() - interval '23 hours'")
    assert await operator_store.run(retention.drop_files, -1) == 0
    assert await operator_store.run(retention.drop_objects, -1) == 0
    assert await operator_store.run(retention.drop_deliveries, -1) == 0
    assert (await left(admin, uid))["runs"] == 1


async def test_a_former_leader_drops_nothing(
    operator_store: Store,
    sidecar_store: Store,
    gateway_store: Store,
    admin: Any,
    dropping: Retention,
) -> None:
    uid = await gone_job(operator_store, sidecar_store, gateway_store, "old")
    await admin.execute("UPDATE mirror SET deleted_at = now() - interval '2 years'")
    await operator_store.transact(leadership.take, 2, "two")
    with pytest.raises(FencedError):
        await dropping.once()
    assert (await left(admin, uid))["runs"] == 1


async def test_while_the_database_does_not_know_the_leader_it_goes_on_trying(
    operator_store: Store, sidecar_store: Store, gateway_store: Store, admin: Any
) -> None:
    uid = await gone_job(operator_store, sidecar_store, gateway_store, "old")
    await admin.execute("UPDATE mirror SET deleted_at = now() - interval '2 years'")
    fence = Fence(operator_store, "one")
    fence.begin(1)
    task = asyncio.create_task(Retention(fence, KEPT).run(period=0.02))
    await asyncio.sleep(0.2)
    assert not task.done()
    assert (await left(admin, uid))["runs"] == 1
    await fence.take()
    async with asyncio.timeout(10):
        while (await left(admin, uid))["mirror"]:  # noqa: ASYNC110 - the task does it
            await asyncio.sleep(0.02)
    task.cancel()


async def test_prometheus_is_told_of_the_backlog(operator_store: Store, admin: Any) -> None:
    await operator_store.transact(deliveries.owe, [ended.delivery("a"), ended.delivery("b")])
    await admin.execute("UPDATE deliveries SET created_at = now() - interval '100 seconds'")
    task = asyncio.create_task(gauges.follow_outbox(operator_store))
    measured = metrics.REGISTRY.get_sample_value
    await until(lambda: measured("coxswain_callbacks_pending") == 2)
    await until(lambda: (measured("coxswain_callbacks_oldest_seconds") or 0) >= 100)
    task.cancel()


async def test_the_backlog_is_what_is_neither_delivered_nor_given_up(
    operator_store: Store, gateway_store: Store, admin: Any
) -> None:
    assert await operator_store.run(outbox.backlog) == outbox.Backlog(0, 0.0)
    for name, state in (("a", DeliveryState.DELIVERED), ("b", DeliveryState.PENDING)):
        await delivered(operator_store, gateway_store, name, state)
    await operator_store.transact(deliveries.owe, [ended.delivery("c")])
    await admin.execute("UPDATE deliveries SET created_at = now() - interval '100 seconds'")
    found = await operator_store.run(outbox.backlog)
    assert found.pending == 2
    assert 100 <= found.oldest_seconds < 130
