"""Which objects are made anew from the records, and as what; the others are named with the reason."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from coxswain.api.contract import RunResult
from coxswain.api.records import KeyHolder, ObjectRow
from coxswain.store import claims, idempotency, mirror, reports, runs
from coxswain.store.pool import Store
from tests.support.backup import Backups
from tests.support.postgres import Database, opened
from tests.support.rows import new_run, pod

Body = dict[str, Any]
COMMAND = {"command": ["true"]}
PROMPT = {"prompt": "What?"}


@pytest.fixture
def backups(tmp_path: Path) -> Backups:
    return Backups(tmp_path)


def _object(kind: str, name: str, spec: Body | None = None, **more: Any) -> ObjectRow:
    uid = str(uuid4())
    phase, status = more.pop("phase", ""), more.pop("status", {})
    metadata = {"name": name, "namespace": "team", "uid": uid, "resourceVersion": "7"}
    return ObjectRow(
        uid=uid,
        kind=kind,
        workspace="team",
        name=name,
        generation=1,
        resource_version="7",
        phase=phase,
        created_at=more.pop("created_at", datetime.now(UTC)),
        body={
            "metadata": {**metadata, **more},
            "spec": spec or {},
            "status": {"phase": phase, **status},
        },
    )


def _job(name: str, spec: Body, phase: str = "Running", **more: Any) -> ObjectRow:
    return _object("Job", name, spec, phase=phase, **more)


async def _knows(store: Store, *objects: ObjectRow) -> None:
    await store.transact(mirror.write, objects, [])


def _specs(items: list[Body]) -> dict[str, Body]:
    return {item["metadata"]["name"]: item["spec"] for item in items}


def _left_out(backups: Backups, database: Database) -> dict[str, str]:
    """Why each object is not made anew, by its name."""
    said = backups.run(database, "objects").stderr.decode().splitlines()
    parts = [line.removeprefix("coxswain-backup: left out ").split() for line in said]
    return {place.partition("/")[2].rstrip(":"): why for _, place, why in parts}


async def _runs(operator: Store, sidecar: Store, job: ObjectRow, *acts: str) -> str:
    """A claimed run of a Job, in the middle of these acts; its pod's uid."""
    new = new_run(job.uid, job_name=job.name, pod_name=f"{job.name}-1")
    await operator.transact(runs.open_run, new)
    owner = pod(name=new.pod_name)
    await sidecar.transact(claims.claim, new.key, owner)

    async def begun(connection: Any) -> None:
        for act in acts:
            await connection.execute(
                "UPDATE runs SET acts_open = acts_open || jsonb_build_object($2::text, $2::text)"
                " WHERE pod_uid = $1",
                owner.uid,
                act,
            )

    await sidecar.transact(begun)
    return owner.uid


async def test_what_is_made_anew_is_what_a_person_would_apply_agents_first(
    database: Database, backups: Backups
) -> None:
    owner = {"apiVersion": "coxswain.dev/v1alpha1", "kind": "Schedule", "name": "s", "uid": "u"}
    early = datetime.now(UTC) - timedelta(days=1)
    read = _job(
        "read",
        PROMPT,
        phase="Queued",
        created_at=early,
        labels={"coxswain.dev/owner": "ann"},
        annotations={"coxswain.dev/requester": "user:ann", "coxswain.dev/review": "{}"},
        ownerReferences=[owner],
        finalizers=["coxswain.dev/cleanup"],
    )
    others = [
        _object("Schedule", "s", {"at": "x"}),
        _object("Lease", "l", {"resource": "r"}),
        _object("Agent", "a", {"suspend": True}),
    ]
    async with opened(database.operator) as store:
        await _knows(store, read, *others)
    made = backups.objects(database)
    assert [item["kind"] for item in made] == ["Agent", "Lease", "Schedule", "Job"]
    assert made[0]["spec"] == {"suspend": True}
    assert made[-1] == {
        "apiVersion": "coxswain.dev/v1alpha1",
        "kind": "Job",
        "metadata": {
            "name": "read",
            "namespace": "team",
            "labels": {"coxswain.dev/owner": "ann"},
            "annotations": {"coxswain.dev/requester": "user:ann"},
        },
        "spec": PROMPT,
    }
    assert [item["kind"] for item in backups.objects(database, "Job", "Lease")] == ["Lease", "Job"]


async def test_what_has_ended_or_waits_for_a_person_is_not_made_anew(
    database: Database, backups: Backups
) -> None:
    async with opened(database.operator) as store:
        ended = [_job(phase.lower(), PROMPT, phase) for phase in ("Succeeded", "Failed")]
        review = _job("asked", PROMPT, "Review")
        going = _job("going", PROMPT, "Queued", deletionTimestamp="2026-11-30T00:00:00Z")
        gone = _job("gone", PROMPT, "Queued")
        await _knows(store, *ended, review, going, gone)
        await store.transact(mirror.mark_deleted, [gone.uid], [])
    assert backups.objects(database) == []
    assert _left_out(backups, database) == {
        "succeeded": "Ended",
        "failed": "Ended",
        "asked": "InReview",
        "going": "BeingDeleted",
    }


async def test_a_running_job_is_tried_again_unless_that_might_do_something_twice(
    database: Database, backups: Backups
) -> None:
    twice = {"retry": {"maxAttempts": 2}}
    steps = {"steps": [{"name": "a", "command": ["true"]}, {"name": "b", "prompt": "What?"}]}
    jobs = {
        "thinks": (_job("thinks", PROMPT), ()),
        "calls": (_job("calls", PROMPT | twice), ("send",)),
        "once": (_job("once", COMMAND), ("command",)),
        "again": (_job("again", COMMAND | twice), ("command",)),
        "mixed": (_job("mixed", steps | twice), ("steps",)),
        "ruled": (_job("ruled", PROMPT | twice | {"review": {"onUnknown": "Retry"}}), ("send",)),
        "spent": (_job("spent", PROMPT | {"review": {"onUnknown": "Retry"}}), ("send",)),
    }
    async with opened(database.operator) as operator, opened(database.sidecar) as sidecar:
        for job, acts in jobs.values():
            await _knows(operator, job)
            await _runs(operator, sidecar, job, *acts)
    specs = _specs(backups.objects(database))
    assert specs.keys() == {"thinks", "again", "ruled"}
    # The attempt in which it is not known what was done has been used.
    assert specs["ruled"]["retry"] == {"maxAttempts": 1}
    assert specs["again"]["retry"] == {"maxAttempts": 2}
    assert _left_out(backups, database) == dict.fromkeys(
        ("calls", "once", "mixed", "spent"), "OutcomeUnknown"
    )


async def test_a_job_whose_result_stands_is_not_done_again(
    database: Database, backups: Backups
) -> None:
    job = _job("told", COMMAND)
    async with opened(database.operator) as operator, opened(database.sidecar) as sidecar:
        await _knows(operator, job)
        uid = await _runs(operator, sidecar, job, "command")
        await sidecar.transact(reports.post_result, uid, RunResult(status="succeeded"))
    assert backups.objects(database) == []
    assert _left_out(backups, database) == {"told": "ResultPosted"}


async def test_a_job_has_the_attempts_that_were_left(database: Database, backups: Backups) -> None:
    spec = COMMAND | {"retry": {"maxAttempts": 5, "backoffSeconds": 3}}
    async with opened(database.operator) as store:
        await _knows(store, _job("j", spec, "Queued", status={"attemptsUsed": 3}))
    (made,) = backups.objects(database)
    assert made["spec"]["retry"] == {"maxAttempts": 2, "backoffSeconds": 3}


async def test_a_schedule_that_is_over_is_not_begun_anew_and_a_paused_one_stays_paused(
    database: Database, backups: Backups
) -> None:
    over, paused, goes = (_object("Schedule", name) for name in ("over", "paused", "goes"))
    async with opened(database.operator) as store:
        await _knows(store, over, paused, goes)
    connection = await asyncpg.connect(database.owner)
    try:
        for each, held, is_paused in ((over, "LimitReached", False), (paused, "", True)):
            await connection.execute(
                "INSERT INTO schedules (schedule_uid, workspace, name, trigger, through, held, paused)"
                " VALUES ($1, 'team', $2, '', now(), $3, $4)",
                each.uid,
                each.name,
                held,
                is_paused,
            )
    finally:
        await connection.close()
    made = {item["metadata"]["name"]: item["metadata"] for item in backups.objects(database)}
    assert made.keys() == {"paused", "goes"}
    assert "had paused itself" in made["paused"]["annotations"]["coxswain.dev/suspend"]
    assert "annotations" not in made["goes"]
    assert _left_out(backups, database) == {"over": "LimitReached"}


async def test_a_key_is_free_for_the_job_that_is_made_anew_and_kept_by_one_that_ended(
    database: Database, backups: Backups
) -> None:
    ended, queued = _job("ended", COMMAND, "Succeeded"), _job("queued", COMMAND, "Queued")
    async with opened(database.operator) as store:
        await _knows(store, ended, queued)
        for each in (ended, queued):
            holder = KeyHolder("team", f"k-{each.name}", "h", each.name, each.uid)
            await store.transact(idempotency.register, holder, 3600)
    backups.restore(database, backups.make(database), "--replace")
    async with opened(database.operator) as store:
        anew = KeyHolder("team", "k-queued", "h", "queued", str(uuid4()))
        assert await store.transact(idempotency.register, anew, 3600) == anew
        again = KeyHolder("team", "k-ended", "h", "ended", str(uuid4()))
        standing = await store.transact(idempotency.register, again, 3600)
    assert standing.job_uid == ended.uid


async def test_nothing_is_told_of_a_database_that_is_at_work(
    database: Database, backups: Backups
) -> None:
    async with opened(database.operator) as store:
        await store.run(mirror.live, "Job")
        ended = backups.run(database, "objects")
    assert ended.returncode == 1
    assert ended.stdout == b""
    assert b"the installation runs (coxswain_operator)" in ended.stderr
