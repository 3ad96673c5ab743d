"""The leader's requests to a real Postgres: together, and each with its own answer."""

import asyncio
from uuid import uuid4

import pytest
import pytest_asyncio

from coxswain.api.contract import ResultStatus, RunResult
from coxswain.errors import ConflictError, FencedError, UnavailableError, UserError
from coxswain.reconcile.fence import Fence
from coxswain.reconcile.records import Records
from coxswain.store import claims, leadership, reports, wakes
from coxswain.store.pool import Store
from coxswain.store.runs import Closing
from tests.support.rows import new_run, pod


@pytest_asyncio.fixture
async def records(operator_store: Store) -> Records:
    fence = Fence(operator_store, "one")
    fence.begin(1)
    assert await fence.take() == 0
    return Records(fence, key_seconds=60)


async def test_many_rows_are_opened_together_and_each_is_its_own(records: Records) -> None:
    wanted = [new_run() for _ in range(20)]
    opened = await asyncio.gather(*(records.open_run(new) for new in wanted))
    assert [run.key for run in opened] == [new.key for new in wanted]
    assert {run.token for run in opened} == {1}


async def test_a_row_that_the_database_refuses_spoils_no_other(records: Records) -> None:
    good, bad = new_run(), new_run()
    bad = type(bad)(**{**bad.__dict__, "workspace": "nul \x00"})
    answers = await asyncio.gather(
        records.open_run(bad), records.open_run(good), return_exceptions=True
    )
    assert isinstance(answers[0], UserError)
    assert getattr(answers[1], "key", None) == good.key


async def test_a_row_with_another_pod_is_a_conflict_for_whoever_asked(records: Records) -> None:
    first = new_run()
    await records.open_run(first)
    other = new_run(first.key.job_uid, pod_name="another")
    answers = await asyncio.gather(
        records.open_run(other), records.open_run(new_run()), return_exceptions=True
    )
    assert isinstance(answers[0], ConflictError)
    assert not isinstance(answers[1], BaseException)


async def test_a_result_that_came_meanwhile_keeps_a_run_open(
    records: Records, sidecar_store: Store
) -> None:
    new, worker = new_run(), pod()
    await records.open_run(new)
    await sidecar_store.transact(claims.claim, new.key, worker)
    result = RunResult(status=ResultStatus.SUCCEEDED)
    await sidecar_store.transact(reports.post_result, worker.uid, result)
    assert not await records.close_run(Closing(new.key, "Failed/Timeout", False))
    state = await records.run_state(new.key)
    assert state is not None
    assert state.closed_at is None
    assert await records.close_run(Closing(new.key, "Succeeded/Completed", True))
    assert await records.close_run(Closing(new.key, "Failed/Late", False))
    state = await records.run_state(new.key)
    assert state is not None
    assert state.closed_reason == "Succeeded/Completed"


async def test_runs_without_a_row_need_no_closing(records: Records) -> None:
    assert await records.close_run(Closing(new_run().key, "Lost/PodLost", False))


async def test_before_the_epoch_is_taken_nothing_is_written(operator_store: Store) -> None:
    fence = Fence(operator_store, "one")
    fence.begin(1)
    with pytest.raises(UnavailableError):
        await Records(fence, key_seconds=60).open_run(new_run())
    assert fence.condition().status == "False"


async def test_an_epoch_that_is_not_new_names_the_one_that_stands(operator_store: Store) -> None:
    await operator_store.transact(leadership.take, 7, "other")
    fence = Fence(operator_store, "one")
    fence.begin(1)
    assert await fence.take() == 7
    fence.begin(8)
    assert await fence.take() == 0
    assert fence.is_taken


async def test_a_former_leader_opens_closes_and_handles_nothing(
    operator_store: Store, records: Records, sidecar_store: Store
) -> None:
    standing = new_run()
    await records.open_run(standing)
    await sidecar_store.transact(wakes.add, "Job", "team", "first")
    await operator_store.transact(leadership.take, 2, "two")
    with pytest.raises(FencedError):
        await records.open_run(new_run())
    with pytest.raises(FencedError):
        await records.close_run(Closing(standing.key, "Lost/PodLost", False))
    with pytest.raises(FencedError):
        await records.woken(await records.wakes())
    assert len(await records.wakes()) == 1


async def test_a_lost_row_of_a_live_pod_is_written_as_claimed_by_it(records: Records) -> None:
    new, uid = new_run(), str(uuid4())
    await records.restore_run(new, token=4, pod_uid=uid)
    state = await records.run_state(new.key)
    assert state is not None
    assert (state.token, state.pod_uid) == (4, uid)
    await records.restore_run(new, token=9, pod_uid=str(uuid4()))
    state = await records.run_state(new.key)
    assert state is not None
    assert state.token == 4
