import asyncio
from uuid import uuid4

import asyncpg
import pytest

from coxswain.errors import ConflictError, FencedError, ForbiddenError, NotFoundError
from coxswain.store import claims, leadership, results, runs
from coxswain.store.pool import Connection, Store
from coxswain.store.runs import RunKey
from tests.support.rows import new_run, pod


async def test_tokens_grow_with_each_attempt_and_over_a_lost_database(
    operator_store: Store,
) -> None:
    job = str(uuid4())
    first = await operator_store.transact(runs.open_run, new_run(job, 1))
    second = await operator_store.transact(runs.open_run, new_run(job, 2))
    from_status = await operator_store.transact(runs.open_run, new_run(job, 3, last_token=9))
    assert [first.token, second.token, from_status.token] == [1, 2, 10]


async def test_an_attempt_that_stands_is_returned_as_it_is(operator_store: Store) -> None:
    new = new_run()
    first = await operator_store.transact(runs.open_run, new)
    await operator_store.transact(runs.close_run, new.key, "Lost", knows_result=False)
    again = await operator_store.transact(runs.open_run, new)
    assert again.token == first.token
    assert again.closed_reason == "Lost"


async def test_an_attempt_with_another_pod_is_a_conflict(operator_store: Store) -> None:
    new = new_run()
    await operator_store.transact(runs.open_run, new)
    with pytest.raises(ConflictError):
        await operator_store.transact(
            runs.open_run, new_run(new.key.job_uid, pod_name="another-pod")
        )


async def test_the_first_reason_of_a_closed_run_stays(operator_store: Store) -> None:
    new = new_run()
    await operator_store.transact(runs.open_run, new)
    assert await operator_store.transact(runs.close_run, new.key, "Lost", knows_result=False)
    assert await operator_store.transact(runs.close_run, new.key, "Failed", knows_result=False)
    run = await operator_store.run(runs.of, new.key)
    assert run is not None
    assert run.closed_reason == "Lost"


async def test_states_are_read_for_many_at_once_and_leave_out_what_is_not_there(
    operator_store: Store,
) -> None:
    first, second = new_run(), new_run()
    for new in (first, second):
        await operator_store.transact(runs.open_run, new)
    found = await operator_store.run(runs.states, [first.key, second.key, RunKey(str(uuid4()), 1)])
    assert set(found) == {first.key, second.key}


async def test_a_lost_row_is_written_again_as_claimed_by_its_pod(
    operator_store: Store, sidecar_store: Store
) -> None:
    new, owner = new_run(), pod()
    await operator_store.transact(runs.rewrite, new, token=7, pod_uid=owner.uid)
    run = await sidecar_store.transact(claims.claim, new.key, owner)
    assert (run.token, run.pod_uid) == (7, owner.uid)
    with pytest.raises(ConflictError):
        await sidecar_store.transact(claims.claim, new.key, pod())


async def test_a_row_that_stands_is_not_written_again(operator_store: Store) -> None:
    new = new_run()
    await operator_store.transact(runs.open_run, new)
    run = await operator_store.transact(runs.rewrite, new, token=7, pod_uid=str(uuid4()))
    assert (run.token, run.pod_uid) == (1, None)


async def test_the_first_pod_owns_the_run_and_may_claim_again(
    operator_store: Store, sidecar_store: Store
) -> None:
    new, owner = new_run(), pod()
    await operator_store.transact(runs.open_run, new)
    first = await sidecar_store.transact(claims.claim, new.key, owner)
    again = await sidecar_store.transact(claims.claim, new.key, owner)
    assert first.claimed_at == again.claimed_at
    by_pod = await sidecar_store.run(claims.by_pod, owner.uid)
    assert by_pod is not None
    assert by_pod.key == new.key


async def test_of_many_pods_that_race_one_wins(operator_store: Store, sidecar_store: Store) -> None:
    new = new_run()
    await operator_store.transact(runs.open_run, new)
    racers = [pod() for _ in range(8)]
    results = await asyncio.gather(
        *(sidecar_store.transact(claims.claim, new.key, racer) for racer in racers),
        return_exceptions=True,
    )
    winners = [each for each in results if not isinstance(each, BaseException)]
    losers = [each for each in results if isinstance(each, ConflictError)]
    assert (len(winners), len(losers)) == (1, 7)
    assert {each.code for each in losers} == {"run_taken"}


@pytest.mark.parametrize(
    "other", [{"workspace": "other"}, {"account": "default"}, {"name": "another-pod"}]
)
async def test_a_pod_that_is_not_the_rows_is_forbidden(
    operator_store: Store, sidecar_store: Store, other: dict[str, str]
) -> None:
    new = new_run()
    await operator_store.transact(runs.open_run, new)
    with pytest.raises(ForbiddenError) as refused:
        await sidecar_store.transact(claims.claim, new.key, pod(**other))
    assert refused.value.code == "run_of_another"


async def test_a_closed_run_and_an_unknown_one_cannot_be_claimed(
    operator_store: Store, sidecar_store: Store
) -> None:
    new = new_run()
    await operator_store.transact(runs.open_run, new)
    await operator_store.transact(runs.close_run, new.key, "Lost", knows_result=False)
    with pytest.raises(ConflictError) as closed:
        await sidecar_store.transact(claims.claim, new.key, pod())
    with pytest.raises(NotFoundError):
        await sidecar_store.transact(claims.claim, RunKey(str(uuid4()), 1), pod())
    assert closed.value.code == "run_closed"


async def test_a_heartbeat_says_whether_to_end(operator_store: Store, sidecar_store: Store) -> None:
    new, owner = new_run(), pod()
    await operator_store.transact(runs.open_run, new)
    await sidecar_store.transact(claims.claim, new.key, owner)
    assert not await sidecar_store.run(claims.heartbeat, owner.uid)
    await operator_store.transact(runs.request_cancel, new.key)
    assert await sidecar_store.run(claims.heartbeat, owner.uid)
    await operator_store.transact(runs.close_run, new.key, "Cancelled", knows_result=False)
    with pytest.raises(ConflictError):
        await sidecar_store.run(claims.heartbeat, owner.uid)


async def test_a_former_leader_writes_nothing(operator_store: Store) -> None:
    await operator_store.transact(leadership.take, 1, "first")
    await operator_store.transact(leadership.take, 2, "second")
    new = new_run()
    with pytest.raises(FencedError):
        await leadership.fenced(operator_store, 1, runs.open_run, new)
    assert await operator_store.run(runs.of, new.key) is None


async def test_an_epoch_only_grows(operator_store: Store) -> None:
    await operator_store.transact(leadership.take, 5, "first")
    await operator_store.transact(leadership.take, 5, "first")
    for epoch, holder in ((5, "second"), (4, "first")):
        with pytest.raises(FencedError, match="epoch 5"):
            await operator_store.transact(leadership.take, epoch, holder)
    standing = await operator_store.run(leadership.current)
    assert (standing.epoch, standing.holder) == (5, "first")


async def test_a_new_leader_waits_for_the_last_write_of_the_former(operator_store: Store) -> None:
    await operator_store.transact(leadership.take, 1, "first")
    checked, go_on = asyncio.Event(), asyncio.Event()
    new = new_run()

    async def slow(connection: Connection) -> None:
        checked.set()
        await go_on.wait()
        await runs.open_run(connection, new)

    async def impatient(connection: Connection) -> None:
        await connection.execute("SET LOCAL lock_timeout = '100ms'")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await leadership.take(connection, 2, "second")

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(leadership.fenced(operator_store, 1, slow))
        await checked.wait()
        await operator_store.transact(impatient)
        go_on.set()
    await operator_store.transact(leadership.take, 2, "second")
    assert await operator_store.run(runs.of, new.key) is not None
    assert (await operator_store.run(leadership.current)).epoch == 2


async def test_an_older_replica_reads_what_a_newer_one_wrote(operator_store: Store) -> None:
    new = new_run()
    await operator_store.transact(runs.open_run, new)
    newer = {"mood": {"of": "the day"}}
    wire = new.document.to_wire()
    document = {**wire, **newer, "limits": {**wire["limits"], **newer}}
    result = {"status": "succeeded", "answer": "42", **newer}

    async def writes(connection: Connection) -> None:
        await connection.execute("UPDATE runs SET document = $1, result = $2", document, result)

    await operator_store.transact(writes)
    run = await operator_store.run(runs.of, new.key)
    assert run is not None
    assert run.document == new.document
    kept = await operator_store.run(results.of_job, new.key.job_uid)
    assert kept is not None
    assert (kept.result, kept.result.answer) == (run.result, "42")
