import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from coxswain.api.contract import ResultStatus, RunEvent, RunResult
from coxswain.errors import ConflictError, UserError
from coxswain.store import artifacts, claims, events, reports, runs, uuid7, wakes
from coxswain.store.claims import Pod
from coxswain.store.pool import Store
from coxswain.store.runs import Run, RunKey
from tests.support.rows import new_run, pod

DONE = RunResult(status=ResultStatus.SUCCEEDED, answer="42", exit_code=0)


@pytest_asyncio.fixture
async def claimed(operator_store: Store, sidecar_store: Store) -> tuple[RunKey, Pod]:
    new, owner = new_run(), pod()
    await operator_store.transact(runs.open_run, new)
    await sidecar_store.transact(claims.claim, new.key, owner)
    return new.key, owner


def said(seq: int, **fields: Any) -> RunEvent:
    return RunEvent(
        id=fields.pop("id", uuid7.new(datetime.now(UTC))),
        seq=seq,
        type="run.output",
        details={"stream": "stdout", "text": f"line {seq}"},
    )


async def of(store: Store, key: RunKey) -> Run:
    run = await store.run(runs.of, key)
    assert run is not None
    return run


async def test_a_batch_is_kept_with_its_run_and_numbers(
    sidecar_store: Store, claimed: tuple[RunKey, Pod]
) -> None:
    key, owner = claimed
    reported = await sidecar_store.transact(
        reports.append_run_events, owner.uid, [said(1), said(2)]
    )
    page = await sidecar_store.run(
        events.after, 0, events.Filter(uid=key.job_uid, type="run.output")
    )
    assert (reported.accepted, reported.duplicates, reported.last_seq) == (2, 0, 2)
    kept = [each.event for each in page.events]
    assert [(each.seq, each.attempt, each.actor) for each in kept] == [
        (1, 1, "agent:team/reader"),
        (2, 1, "agent:team/reader"),
    ]


async def test_a_repeated_batch_is_harmless(
    sidecar_store: Store, claimed: tuple[RunKey, Pod]
) -> None:
    batch = [said(1), said(2)]
    await sidecar_store.transact(reports.append_run_events, claimed[1].uid, batch)
    again = await sidecar_store.transact(
        reports.append_run_events, claimed[1].uid, [*batch, said(3)]
    )
    assert (again.accepted, again.duplicates, again.last_seq) == (1, 2, 3)


async def test_last_seq_stops_before_a_hole_and_leaps_when_it_is_filled(
    sidecar_store: Store, claimed: tuple[RunKey, Pod]
) -> None:
    send = reports.append_run_events
    uid = claimed[1].uid
    first = await sidecar_store.transact(send, uid, [said(1)])
    ahead = await sidecar_store.transact(send, uid, [said(3), said(4), said(6)])
    filled = await sidecar_store.transact(send, uid, [said(2)])
    whole = await sidecar_store.transact(send, uid, [said(5)])
    seqs = [each.last_seq for each in (first, ahead, filled, whole)]
    assert seqs == [1, 1, 4, 6]


async def test_a_closed_run_takes_nothing_more(
    operator_store: Store, sidecar_store: Store, claimed: tuple[RunKey, Pod]
) -> None:
    key, owner = claimed
    await operator_store.transact(runs.close_run, key, "Lost", knows_result=False)
    late = [
        sidecar_store.transact(reports.append_run_events, owner.uid, [said(1)]),
        sidecar_store.transact(reports.begin_act, owner.uid, uuid4(), "run_command"),
        sidecar_store.transact(reports.end_act, owner.uid, uuid4()),
        sidecar_store.transact(reports.post_result, owner.uid, DONE),
        sidecar_store.transact(artifacts.put, owner.uid, "a", "text/plain", b"x"),
    ]
    for each in late:
        with pytest.raises(ConflictError) as refused:
            await each
        assert refused.value.code == "run_closed"
    assert (await of(sidecar_store, key)).result is None


async def test_a_pod_that_claimed_nothing_reports_nothing(sidecar_store: Store) -> None:
    with pytest.raises(ConflictError):
        await sidecar_store.transact(reports.post_result, str(uuid4()), DONE)


async def test_an_event_of_last_week_is_refused_with_its_whole_batch(
    sidecar_store: Store, claimed: tuple[RunKey, Pod]
) -> None:
    key, owner = claimed
    old = said(2, id=uuid7.new(datetime.now(UTC) - timedelta(days=8)))
    with pytest.raises(UserError) as refused:
        await sidecar_store.transact(reports.append_run_events, owner.uid, [said(1), old])
    assert refused.value.code == "event_time"
    assert (await of(sidecar_store, key)).last_seq == 0


async def test_acts_are_open_from_begin_to_end(
    sidecar_store: Store, claimed: tuple[RunKey, Pod]
) -> None:
    key, owner = claimed
    act = uuid4()
    for _ in range(2):
        await sidecar_store.transact(reports.begin_act, owner.uid, act, "run_command")
    assert (await of(sidecar_store, key)).acts_open == {str(act): "run_command"}
    for _ in range(2):
        await sidecar_store.transact(reports.end_act, owner.uid, act)
    assert (await of(sidecar_store, key)).acts_open == {}


async def test_open_acts_are_bounded(sidecar_store: Store, claimed: tuple[RunKey, Pod]) -> None:
    uid = claimed[1].uid
    acts = [uuid4() for _ in range(reports.ACTS_OPEN)]
    for act in acts:
        await sidecar_store.transact(reports.begin_act, uid, act, "x")
    await sidecar_store.transact(reports.begin_act, uid, acts[0], "x")
    with pytest.raises(UserError) as refused:
        await sidecar_store.transact(reports.begin_act, uid, uuid4(), "x")
    assert refused.value.code == "too_many_acts"


async def test_the_first_result_stays_and_wakes_nobody(
    operator_store: Store, sidecar_store: Store, claimed: tuple[RunKey, Pod]
) -> None:
    key, owner = claimed
    assert await sidecar_store.transact(reports.post_result, owner.uid, DONE)
    assert not await sidecar_store.transact(reports.post_result, owner.uid, DONE)
    other = RunResult(status=ResultStatus.FAILED, reason="Other")
    with pytest.raises(ConflictError) as refused:
        await sidecar_store.transact(reports.post_result, owner.uid, other)
    waiting = await operator_store.run(wakes.unhandled)
    page = await operator_store.run(events.after, 0, events.Filter(type="run.result"))
    assert refused.value.code == "result_differs"
    assert (await of(sidecar_store, key)).result == DONE
    assert waiting == ()
    assert [each.event.details for each in page.events] == [
        {"status": "succeeded", "exitCode": 0, "transient": False, "artifacts": []}
    ]


async def test_of_two_results_at_once_one_counts(
    sidecar_store: Store, claimed: tuple[RunKey, Pod]
) -> None:
    given = [RunResult(status=ResultStatus.SUCCEEDED, answer=str(n)) for n in range(6)]
    results = await asyncio.gather(
        *(sidecar_store.transact(reports.post_result, claimed[1].uid, each) for each in given),
        return_exceptions=True,
    )
    assert [each for each in results if each is True] == [True]
    assert sum(isinstance(each, ConflictError) for each in results) == 5


async def test_a_reason_that_comes_while_one_is_handled_stays(
    operator_store: Store, sidecar_store: Store
) -> None:
    await sidecar_store.transact(wakes.add, "Job", "team", "first")
    seen = await operator_store.run(wakes.unhandled)
    await sidecar_store.transact(wakes.add, "Job", "team", "first")
    await operator_store.run(wakes.handled, seen)
    left = await operator_store.run(wakes.unhandled)
    assert len(left) == 1
    await operator_store.run(wakes.handled, left)
    assert await operator_store.run(wakes.unhandled) == ()
    await sidecar_store.transact(wakes.add, "Job", "team", "first")
    await operator_store.run(wakes.handled, left)
    assert len(await operator_store.run(wakes.unhandled)) == 1


async def test_an_artifact_is_kept_whole_and_another_content_is_refused(
    sidecar_store: Store, claimed: tuple[RunKey, Pod]
) -> None:
    key, owner = claimed
    content = bytes(range(256)) * 1000
    for _ in range(2):
        await sidecar_store.transact(artifacts.put, owner.uid, "stdout.txt", "text/plain", content)
    with pytest.raises(ConflictError) as refused:
        await sidecar_store.transact(artifacts.put, owner.uid, "stdout.txt", "text/plain", b"x")
    kept = await sidecar_store.run(artifacts.get, key.job_uid, "stdout.txt")
    assert refused.value.code == "artifact_differs"
    assert kept is not None
    assert kept.content == content
    assert await sidecar_store.run(artifacts.get, key.job_uid, "stdout.txt", 2) is None
