"""A database of each earlier version comes to head with its rows, and the store reads what they mean."""

import asyncio
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from coxswain.api.lease import LeaseState
from coxswain.reconcile.fence import Fence
from coxswain.reconcile.sealing import Sealing
from coxswain.rules.approvals import State
from coxswain.store import (
    api_keys,
    approvals,
    artifacts,
    calls,
    claims,
    enforcement,
    events,
    flags,
    idempotency,
    keys,
    leadership,
    mirror,
    outbox,
    results,
    runs,
    ticks,
    verdicts,
    wakes,
)
from coxswain.store.artifact_objects import Place
from coxswain.store.leases import rows as leases
from coxswain.store.mirror import Query
from coxswain.store.pool import Store
from coxswain.store.runs import RunKey
from coxswain.store.schema import REVISION
from tests.support import audit_log, postgres, revisions
from tests.support.revisions import Earlier
from tests.support.rows import event, new_run

FIRST, SECOND = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
READER = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
SCHEDULE = "99999999-9999-4999-8999-999999999999"
TYPES = [
    *("job.queued", "run.claimed", "run.tool_call", "run.tool_result", "user.note", "job.running"),
]


def since(revision: int) -> pytest.MarkDecorator:
    """Of every version from this one on."""
    every = range(revision, REVISION + 1)
    return pytest.mark.parametrize("earlier", every, indirect=True, ids="{:04}".format)


@since(1)
def test_every_row_stands_as_it_was(earlier: Earlier) -> None:
    assert sum(map(len, earlier.before.values())) > 20
    assert revisions.lost(earlier.before, earlier.after) == []


@pytest.mark.parametrize("earlier", range(1, REVISION), indirect=True, ids="{:04}".format)
def test_no_table_and_no_column_was_without_a_value(earlier: Earlier) -> None:
    """Whoever brings a revision gives the one before a file in rows/, if it has none."""
    assert revisions.unset(earlier.before) == []


@since(1)
async def test_events_keep_their_positions_and_the_next_one_follows(earlier: Earlier) -> None:
    async with postgres.opened(earlier.database.sidecar) as store:
        page = await store.run(events.after, 0, limit=100)
        assert [each.position for each in page.events] == list(range(1, len(page.events) + 1))
        assert [each.event.type for each in page.events[:6]] == TYPES
        assert page.events[4].event.details == {"text": "größer"}
        assert [each.event.seq for each in page.events[2:4]] == [1, 2]
        assert {each.event.version for each in page.events[:6]} == {1}
        again = await store.run(events.append, [page.events[0].event])
        assert again.accepted == 0
        next_one = await store.run(events.append, [event()])
        assert next_one.last_position == page.events[-1].position + 1


@since(1)
async def test_runs_keep_their_tokens_and_the_next_attempt_has_a_larger_one(
    earlier: Earlier,
) -> None:
    async with postgres.opened(earlier.database.operator) as store:
        asked = [RunKey(FIRST, 1), RunKey(FIRST, 2), RunKey(SECOND, 1)]
        found = await store.run(runs.states, asked)
        assert [found[key].token for key in asked] == [1, 2, 1]
        assert [found[key].closed_reason for key in asked] == ["Lost", "Succeeded", None]
        assert found[asked[2]].acts_open == {"dddddddd-dddd-4ddd-8ddd-dddddddddddd": "command"}
        assert found[asked[1]].document.prompt == "What is in it?"
        kept = await store.run(results.of_job, FIRST)
        assert kept is not None
        assert (kept.attempt, kept.result.answer) == (2, "Two files.")
        further = await store.transact(runs.open_run, new_run(FIRST, 3, pod_name="first-3"))
        assert further.token == 3


@since(1)
async def test_a_pod_that_ran_through_it_is_still_served_and_told_to_end(earlier: Earlier) -> None:
    pod = "cccccccc-cccc-4ccc-8ccc-cccccccccccc"
    async with postgres.opened(earlier.database.sidecar) as store:
        run = await store.run(claims.by_pod, pod)
        assert run is not None
        assert run.leases == ({"deploy": 41} if earlier.revision >= 8 else {})
        assert await store.run(claims.heartbeat, pod)


@since(1)
async def test_objects_and_what_is_known_of_them_are_read(earlier: Earlier) -> None:
    async with postgres.opened(earlier.database.operator) as store:
        page = await store.run(mirror.page, Query("Job"))
        assert [each.name for each in page.objects] == ["second", "first"]
        queued = await store.run(mirror.page, Query("Job", queue="reports"))
        assert [each.name for each in queued.objects] == ["second"]
        gone = await store.run(mirror.last, "Job", "team", "gone")
        assert gone is not None
        assert gone.deleted_at is not None
        verdict = (await store.run(verdicts.of, [READER]))[READER]
        assert (verdict.ready, verdict.message) == (True, "all answer")
        finding = await store.run(enforcement.of, "team", "0.1.0 agent")
        assert finding is not None
        assert finding.enforced
        woken = {each.name for each in await store.run(wakes.unhandled)}
        assert woken >= {"second", "reader"}
        published = await store.run(keys.kept)
        assert published is not None
        assert set(published.keys) == {"k1"}


@since(1)
async def test_files_are_read_from_their_rows_and_from_the_bucket(earlier: Earlier) -> None:
    async with postgres.opened(earlier.database.sidecar) as store:
        file = await store.run(artifacts.get, FIRST, "stdout")
        assert file is not None
        assert (file.content, file.place) == (b"two files", None)
        if earlier.revision >= 7:
            large = await store.run(artifacts.get, FIRST, "report")
            assert large is not None
            assert large.place == Place("files", "coxswain/11111111/2/report")


@since(3)
async def test_what_people_said_is_known(earlier: Earlier) -> None:
    async with postgres.opened(earlier.database.operator) as store:
        given = (await store.run(approvals.of, [SECOND]))[SECOND]
        assert {each.approver: each.approved for each in given} == {"ada": True, "bob": False}
        if earlier.revision >= 6:
            (asked,) = await store.run(calls.of_job, FIRST)
            assert (asked.judged.state, asked.tool) == (State.APPROVED, "run_command")


@since(4)
async def test_what_was_owed_is_owed_and_what_was_told_is_not_told_again(earlier: Earlier) -> None:
    async with postgres.opened(earlier.database.sidecar) as store:
        page = await store.run(outbox.page, outbox.Query())
        assert [(each.state.value, each.tries) for each in page.items] == [
            ("Pending", 1),
            ("Delivered", 2),
        ]
        tried = await store.run(outbox.tries, page.items[1].id)
        assert [each.status for each in tried] == [None, 204]


@since(5)
async def test_a_key_still_stands_for_its_job(earlier: Earlier) -> None:
    async with postgres.opened(earlier.database.sidecar) as store:
        held = await store.run(idempotency.of, "team", "order-1")
        begun = await store.run(idempotency.of, "team", "order-2")
        assert held is not None
        assert begun is not None
        assert (held.job_uid, held.payload_hash) == (FIRST, "sha256:01")
        assert (begun.job_uid, begun.job_name) == (None, "third")


@since(8)
async def test_leases_keep_holder_token_and_line(earlier: Earlier) -> None:
    async with postgres.opened(earlier.database.operator) as store:
        places = [("team", name) for name in ("deploy", "release", "gone")]
        found = await store.run(leases.of, places)
        deploy, release, gone = (found[place] for place in places)
        assert deploy.holder is not None
        assert (deploy.holder.text, deploy.token, deploy.is_confirmed) == ("job:second/1", 41, True)
        assert (deploy.waiters, deploy.first_waiter) == (1, "job:third/1")
        assert (release.declared, release.token) == ("ops", 3)
        assert (gone.is_removed, gone.state, gone.token) == (True, LeaseState.QUARANTINED, 9)


@since(9)
async def test_ticks_keep_their_outcomes_and_what_is_open_is_open(earlier: Earlier) -> None:
    async with postgres.opened(earlier.database.operator) as store:
        (standing,) = await store.run(ticks.standing, [SCHEDULE])
    assert standing.state is not None
    assert (standing.state.counters.missed, standing.state.position) == (2, 3)
    assert standing.state.through == datetime(2026, 1, 10, 2, tzinfo=UTC)
    assert [each.id for each in standing.recent] == ["t1", "t2", "t3"]
    assert [each.outcome for each in standing.recent] == ["Fired", "Missed", "Skipped"]
    assert [each.by for each in standing.requests] == ["user:bob"]
    has_outside = earlier.revision >= 10
    assert [each.id for each in standing.open] == (["t4", "t5"] if has_outside else ["t4"])
    assert [each.delivery_id for each in standing.triggers] == (["d-2"] if has_outside else [])
    assert (standing.poll is not None and standing.poll.failures == 2) == has_outside


@since(13)
async def test_a_key_of_a_machine_opens_and_one_that_was_taken_back_does_not(
    earlier: Earlier,
) -> None:
    async with postgres.opened(earlier.database.sidecar) as store:
        hashes = [
            hashlib.sha256(f"the secret of {name}".encode()).digest() for name in ("ci", "old")
        ]
        good = await store.run(api_keys.use, "abcdefgh01234567", hashes[0])
        assert good is not None
        assert (good.role, good.queues, good.revoked_at) == ("Admin", ("reports",), None)
        old = await store.run(api_keys.use, "abcdefgh01234568", hashes[1])
        assert old is not None
        assert old.revoked_by == "user:bob"


@since(14)
async def test_the_chain_of_the_audit_log_is_sound_and_goes_on(
    earlier: Earlier, tmp_path: Path
) -> None:
    async with postgres.opened(earlier.database.operator) as store:
        before = audit_log.heads(await audit_log.exported(store))
        assert before["team"].number == 2
        sealing = await _sealing(store, tmp_path)
        await sealing.once()
        lines = await audit_log.exported(store)
    verdict = audit_log.verified(lines, former=before, allow_dropped=True)
    assert (verdict.flaws, verdict.unsealed) == ([], 0)
    assert verdict.heads["team"].number == 3
    # The two of the seal that was kept, and the two acts that the events of before told of.
    assert verdict.rows >= 4


@since(16)
async def test_an_event_keeps_its_version(earlier: Earlier) -> None:
    async with postgres.opened(earlier.database.sidecar) as store:
        page = await store.run(events.after, 6, limit=1)
    (found,) = page.events
    assert found.event.id == UUID("019ba7c7-8730-7000-8000-000000000007")
    assert found.event.version == 2


@since(17)
async def test_a_flag_stays_as_it_was_set(earlier: Earlier) -> None:
    async with postgres.opened(earlier.database.sidecar) as store:
        found = await store.run(flags.standing)
    assert (found["schedulesEnabled"].is_on, found["demoProvider"].is_on) == (False, None)


async def _sealing(store: Store, folder: Path) -> Sealing:
    """That of the next leader."""
    file = folder / "key"
    await asyncio.to_thread(file.write_text, audit_log.seed(1))
    standing = await store.run(leadership.current)
    fence = Fence(store, "another")
    fence.begin(standing.epoch + 1)
    assert await fence.take() == 0
    return Sealing(fence, audit_log.INSTALLATION, file)
