"""Of two attempts of one Job at most one can write: a later row closes the earlier ones with it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from coxswain.api.contract import ResultStatus, RunEvent, RunResult
from coxswain.errors import ConflictError
from coxswain.store import artifacts, claims, reports, runs, uuid7
from coxswain.store.claims import Pod
from coxswain.store.pool import Connection, Store
from coxswain.store.runs import RunKey
from tests.support.rows import new_run, pod

Write = Callable[[Connection, str], Awaitable[Any]]
ACT = UUID("00000000-0000-4000-8000-000000000001")
DONE = RunResult(status=ResultStatus.SUCCEEDED, answer="42")


async def _event(connection: Connection, uid: str) -> Any:
    said = RunEvent(id=uuid7.new(datetime.now(UTC)), seq=1, type="run.output")
    return await reports.append_run_events(connection, uid, [said])


async def _begins(connection: Connection, uid: str) -> Any:
    return await reports.begin_act(connection, uid, ACT, "send mail")


async def _ends(connection: Connection, uid: str) -> Any:
    return await reports.end_act(connection, uid, ACT)


async def _artifact(connection: Connection, uid: str) -> Any:
    return await artifacts.put(connection, uid, "stdout", "text/plain", b"hello")


async def _result(connection: Connection, uid: str) -> Any:
    return await reports.post_result(connection, uid, DONE)


WRITES: dict[str, Write] = {
    "event": _event,
    "act begins": _begins,
    "act ends": _ends,
    "artifact": _artifact,
    "result": _result,
    "heartbeat": claims.heartbeat,
}


async def _claimed(operator: Store, sidecar: Store, uid: str, attempt: int = 1) -> Pod:
    new = new_run(uid, attempt)
    await operator.transact(runs.open_run, new)
    owner = pod(name=new.pod_name)
    await sidecar.transact(claims.claim, new.key, owner)
    return owner


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_once_a_later_attempt_stands_the_former_pod_writes_nothing(
    operator_store: Store, sidecar_store: Store, write: Write
) -> None:
    uid = str(uuid4())
    former = await _claimed(operator_store, sidecar_store, uid)
    await sidecar_store.transact(write, former.uid)
    latest = await _claimed(operator_store, sidecar_store, uid, 2)
    with pytest.raises(ConflictError) as refused:
        await sidecar_store.transact(write, former.uid)
    assert refused.value.code == "run_closed"
    await sidecar_store.transact(write, latest.uid)


async def test_a_former_attempt_that_nobody_claimed_cannot_be_claimed_any_more(
    operator_store: Store, sidecar_store: Store
) -> None:
    uid = str(uuid4())
    first = new_run(uid, 1)
    await operator_store.transact(runs.open_run, first)
    await operator_store.transact(runs.open_run, new_run(uid, 2))
    with pytest.raises(ConflictError) as refused:
        await sidecar_store.transact(claims.claim, first.key, pod(name=first.pod_name))
    assert refused.value.code == "run_closed"


async def test_a_restored_row_of_a_later_attempt_closes_what_the_restore_opened_again(
    operator_store: Store, sidecar_store: Store
) -> None:
    uid = str(uuid4())
    former = await _claimed(operator_store, sidecar_store, uid)
    live = pod(name="first-pod-2")
    await operator_store.transact(runs.rewrite, new_run(uid, 2), token=2, pod_uid=live.uid)
    with pytest.raises(ConflictError):
        await sidecar_store.transact(_result, former.uid)
    assert await sidecar_store.transact(_result, live.uid)
    run = await operator_store.run(runs.of, RunKey(uid, 1))
    assert run is not None
    assert (run.closed_reason, run.result) == ("Superseded", None)


async def test_other_jobs_are_left_alone(operator_store: Store, sidecar_store: Store) -> None:
    other = await _claimed(operator_store, sidecar_store, str(uuid4()))
    await _claimed(operator_store, sidecar_store, str(uuid4()), 2)
    await sidecar_store.transact(_result, other.uid)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_a_write_that_is_under_way_is_whole_before_a_later_attempt_stands(
    operator_store: Store, sidecar_store: Store, write: Write
) -> None:
    uid = str(uuid4())
    former = await _claimed(operator_store, sidecar_store, uid)
    wrote, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(connection: Connection) -> None:
        await write(connection, former.uid)
        wrote.set()
        await go_on.wait()

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        writing = group.create_task(sidecar_store.transact(slowly))
        await wrote.wait()
        opening = group.create_task(operator_store.transact(runs.open_run, new_run(uid, 2)))
        done, _ = await asyncio.wait([opening], timeout=0.3)
        assert not done
        go_on.set()
        await writing
        await opening
    with pytest.raises(ConflictError):
        await sidecar_store.transact(write, former.uid)


async def test_of_writes_that_race_with_a_later_attempt_none_comes_after_it(
    operator_store: Store, sidecar_store: Store
) -> None:
    for _ in range(10):
        uid = str(uuid4())
        former = await _claimed(operator_store, sidecar_store, uid)
        writing = [sidecar_store.transact(_event, former.uid) for _ in range(6)]
        opening = operator_store.transact(runs.open_run, new_run(uid, 2))
        *written, opened = await asyncio.gather(*writing, opening, return_exceptions=True)
        assert not isinstance(opened, BaseException)
        refused = [each for each in written if isinstance(each, BaseException)]
        assert all(isinstance(each, ConflictError) for each in refused)
        first, second = [await operator_store.run(runs.of, RunKey(uid, n)) for n in (1, 2)]
        assert first is not None
        assert second is not None
        assert (first.closed_reason, second.closed_at) == ("Superseded", None)
