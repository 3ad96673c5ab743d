import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from coxswain.api.contract import ResultStatus, RunResult
from coxswain.store import claims, events, leadership, mirror, reports, runs
from coxswain.store.pool import Store
from tests.support.cutting import Cutter, cutting
from tests.support.postgres import Database, opened
from tests.support.rows import event, job, new_run, pod


def committed(reply: bytes) -> bool:
    return b"COMMIT\x00" in reply


def appended(reply: bytes) -> bool:
    # The one row that was asked for, then ready, outside of a transaction: committed.
    return re.search(rb"s\x00\x00\x00\x04Z\x00\x00\x00\x05I", reply) is not None


@pytest_asyncio.fixture
async def cut(database: Database, tmp_path: Path) -> AsyncIterator[tuple[Store, Cutter]]:
    async with cutting(database.operator, tmp_path) as (dsn, cutter), opened(dsn) as store:
        yield store, cutter


async def test_an_append_whose_answer_was_lost_stands_once(
    cut: tuple[Store, Cutter], operator_store: Store
) -> None:
    store, cutter = cut
    await store.run(events.append, [event()])
    cutter.lose(appended)
    answer = await store.run(events.append, [event(), event()])
    page = await operator_store.run(events.after, 0)
    assert cutter.cuts == 1
    assert (answer.accepted, answer.last_position) == (0, 3)
    assert [each.position for each in page.events] == [1, 2, 3]


async def test_a_run_whose_answer_was_lost_is_opened_once(cut: tuple[Store, Cutter]) -> None:
    store, cutter = cut
    await store.transact(leadership.take, 1, "me")
    cutter.lose(committed)
    run = await leadership.fenced(store, 1, runs.open_run, new_run())
    assert cutter.cuts == 1
    assert run.token == 1


async def test_a_batch_of_the_mirror_whose_answer_was_lost_stands_once(
    cut: tuple[Store, Cutter], operator_store: Store
) -> None:
    store, cutter = cut
    await store.transact(leadership.take, 1, "me")
    cutter.lose(committed)
    await leadership.fenced(store, 1, mirror.write, [job()], [event("job.created")])
    page = await operator_store.run(events.after, 0)
    assert cutter.cuts == 1
    assert len(page.events) == 1


async def test_a_claim_and_a_result_whose_answers_were_lost_are_kept(
    database: Database, tmp_path: Path, operator_store: Store
) -> None:
    new = new_run()
    await operator_store.transact(runs.open_run, new)
    owner = pod()
    async with cutting(database.sidecar, tmp_path) as (dsn, cutter), opened(dsn) as store:
        cutter.lose(committed)
        claimed = await store.transact(claims.claim, new.key, owner)
        cutter.lose(committed)
        result = RunResult(status=ResultStatus.SUCCEEDED, answer="42")
        await store.transact(reports.post_result, owner.uid, result)
    run = await operator_store.run(runs.of, new.key)
    page = await operator_store.run(events.after, 0)
    assert cutter.cuts == 2
    assert claimed.pod_uid == owner.uid
    assert run is not None
    assert run.result == result
    assert [each.event.type for each in page.events] == ["run.claimed", "run.result"]


async def test_an_operation_that_fails_for_good_is_not_repeated(sidecar_store: Store) -> None:
    calls = 0

    async def divide(connection: object) -> None:
        nonlocal calls
        calls += 1
        await connection.fetchval("SELECT 1 / 0")  # type: ignore[attr-defined]  # driver's own

    with pytest.raises(Exception, match="division by zero"):
        await sidecar_store.run(divide)
    assert calls == 1
