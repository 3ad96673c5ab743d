"""What callers ask of the API is in the audit log: before it is done, or with what it changes."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from coxswain.api.audit import Actor, AuditEntry, Object, Outcome
from coxswain.errors import UnavailableError
from coxswain.store import audit
from coxswain.store.audit import Query
from coxswain.store.pool import Store
from coxswain.telemetry import metrics
from coxswain.web.denial_sums import MANY, ROWS_PER_CALLER, Denials
from tests.support import audit_log, rows
from tests.support.postgres import Database
from tests.support.sidecar_api import Api

JOBS = "/v1/workspaces/team/jobs"
SPEC: dict[str, Any] = {"agentRef": {"name": "reader"}, "title": "T", "prompt": "P"}
JOB = {"metadata": {"name": "nightly"}, "spec": SPEC}


async def log_of(api: Api, **wanted: Any) -> list[AuditEntry]:
    """The rows, oldest first."""
    page = await api.operator.run(audit.page, Query(**wanted))
    return [row.entry for row in reversed(page.rows)]


async def test_a_job_that_is_made_has_a_row_before_and_one_after(api: Api) -> None:
    async with api.user.post(JOBS, json=JOB, headers={"X-Request-Id": "r-1"}) as answer:
        made = await answer.json()
        assert answer.status == 201
    begun, done = await log_of(api)
    assert (begun.action, begun.outcome) == ("create_job", Outcome.BEGUN)
    assert (begun.actor, begun.workspace) == (Actor("user", "local"), "team")
    assert begun.object == Object("Job", "nightly")
    assert len(begun.hashes["body"]) == 64
    assert (done.outcome, done.begun_by) == (Outcome.DONE, begun.id)
    assert done.object == Object("Job", "nightly", made["id"])
    assert {begun.request_id, done.request_id} == {"r-1"}


async def test_one_that_is_refused_has_its_code(api: Api) -> None:
    for _ in range(2):
        async with api.user.post(JOBS, json=JOB) as answer:
            status = answer.status
    assert status == 409
    *_, failed = await log_of(api)
    assert failed.outcome is Outcome.FAILED
    assert failed.details == {"code": "already_exists", "status": 409}


async def test_a_request_that_is_no_good_has_no_row(api: Api) -> None:
    async with api.user.post(JOBS, json={"spec": {}}) as answer:
        assert answer.status == 422
    async with api.user.get(JOBS) as answer:
        assert answer.status == 200
    assert await log_of(api) == []


async def test_a_reason_is_kept_with_the_act(api: Api) -> None:
    async with api.user.post(JOBS, json=JOB) as answer:
        assert answer.status == 201
    async with api.user.post(f"{JOBS}/nightly/cancel", json={"reason": "not wanted"}) as answer:
        assert answer.status == 202
    begun, done = await log_of(api, action="cancel_job")
    assert (begun.reason, done.reason) == ("not wanted", "")
    assert (begun.object.name, done.outcome) == ("nightly", Outcome.DONE)


async def test_an_act_on_the_cluster_that_nobody_saw_end_stays_begun(api: Api) -> None:
    api.cluster.refusal = RuntimeError("the process ends here")  # type: ignore[assignment]  # a crash
    async with api.user.post(JOBS, json=JOB) as answer:
        assert answer.status == 500
    (begun,) = await log_of(api)
    assert begun.outcome is Outcome.BEGUN


async def test_while_the_cluster_is_away_the_row_says_that_it_may_have_happened(api: Api) -> None:
    api.cluster.refusal = UnavailableError("away")
    async with api.user.post(JOBS, json=JOB) as answer:
        assert answer.status == 503
    _, failed = await log_of(api)
    assert (failed.outcome, failed.details["status"]) == (Outcome.FAILED, 503)


async def test_nothing_is_done_without_its_row(api: Api, database: Database) -> None:
    owner = await asyncpg.connect(database.owner)
    await owner.execute("REVOKE INSERT ON audit FROM coxswain_sidecar")
    columns = "id, workspace, actor_kind, actor_name, action, outcome, begun_by, object_kind,"
    columns += " object_name, object_uid, reason, request_id, hashes, details"
    await owner.execute(f"REVOKE INSERT ({columns}) ON audit FROM coxswain_sidecar")
    await owner.close()
    async with api.user.post(JOBS, json=JOB) as answer:
        assert answer.status == 500
    assert api.cluster.objects == {}


async def test_a_claim_and_a_result_stand_with_what_they_change(api: Api) -> None:
    new, pod, headers = await api.claimed()
    result = {"status": "succeeded", "answer": "42"}
    async with api.anybody.post("/v1/run/result", json=result, headers=headers) as answer:
        assert answer.status == 204
    claimed, posted = await log_of(api)
    assert (claimed.action, claimed.actor) == ("claim_run", Actor("pod", f"team/{pod.name}"))
    assert claimed.object == Object("Job", "", new.key.job_uid)
    assert (posted.action, posted.actor) == ("post_result", Actor("agent", "team/reader"))
    assert posted.object == Object("Job", "first", new.key.job_uid)
    assert posted.details == {"attempt": 1, "status": "succeeded"}
    assert {claimed.outcome, posted.outcome} == {Outcome.DONE}


async def test_what_is_rolled_back_leaves_one_row_that_says_why(api: Api) -> None:
    _, _, headers = await api.claimed()
    for status in ("succeeded", "failed"):
        body = {"status": status}
        async with api.anybody.post("/v1/run/result", json=body, headers=headers) as answer:
            last = answer.status
    assert last == 409
    first, second = await log_of(api, action="post_result")
    assert (first.outcome, second.outcome) == (Outcome.DONE, Outcome.FAILED)
    assert second.details["code"] == "result_differs"


async def test_a_pod_that_claims_anothers_run_is_denied_by_name(api: Api) -> None:
    new, _ = await api.opened()
    stranger = rows.pod(name="somebody-else")
    run = f"{new.key.job_uid}/1"
    headers = api.as_pod(stranger)
    async with api.anybody.post("/v1/run/claim", json={"run": run}, headers=headers) as answer:
        assert answer.status == 403
    (denied,) = await log_of(api)
    assert (denied.outcome, denied.actor.name) == (Outcome.DENIED, "team/somebody-else")
    assert (denied.details["code"], denied.workspace) == ("run_of_another", "team")


async def test_a_pod_that_knocks_at_the_door_of_people_is_denied_by_name(api: Api) -> None:
    _, pod, headers = await api.claimed()
    async with api.anybody.get(JOBS, headers=headers) as answer:
        assert answer.status == 403
    (denied,) = await log_of(api, outcome=Outcome.DENIED)
    assert (denied.action, denied.actor) == (
        "list_workspace_jobs",
        Actor("pod", f"team/{pod.name}"),
    )
    assert denied.details == {"code": "wrong_caller"}


async def test_one_call_of_a_tool_is_in_the_log_and_no_batch_of_events_is(api: Api) -> None:
    _, _, headers = await api.claimed()
    arguments = '{"path": "/etc/passwd"}'
    details = {"id": "c", "name": "read_file", "arguments": arguments}
    batch = [
        {"id": str(audit_log.entry().id), "seq": 1, "type": "run.tool_call", "details": details},
        {"id": str(audit_log.entry().id), "seq": 2, "type": "run.answer", "details": {"text": "x"}},
    ]
    async with api.anybody.post("/v1/run/events", json={"events": batch}, headers=headers) as said:
        assert said.status == 200
    async with api.anybody.post("/v1/run/heartbeat", headers=headers) as said:
        assert said.status == 200
    _, called = await log_of(api)
    assert (called.action, called.actor) == ("run.tool_call", Actor("agent", "team/reader"))
    assert called.hashes == {"arguments": hashlib.sha256(arguments.encode()).hexdigest()}
    assert "passwd" not in str(called)


async def test_nobody_fills_the_log_without_a_token(api: Api, sidecar_store: Store) -> None:
    for _ in range(30):
        async with api.anybody.post(JOBS, json=JOB) as answer:
            assert answer.status == 401
    assert await log_of(api) == []


@pytest.fixture
def lost() -> Callable[[], float]:
    return lambda: metrics.REGISTRY.get_sample_value("coxswain_audit_rows_lost_total") or 0


class Written(list[AuditEntry]):
    async def write(self, entry: AuditEntry) -> None:
        self.append(entry)


def refused(kind: str, name: str = "", code: str = "wrong_caller") -> AuditEntry:
    return audit_log.entry(outcome=Outcome.DENIED, actor=Actor(kind, name), details={"code": code})


async def test_of_strangers_the_minute_has_one_row_with_counts() -> None:
    written = Written()
    denials = Denials(written.write)
    for code in ("token_missing", "token_missing", "token_expired"):
        await denials.take(refused("anonymous", code=code))
    assert written == []
    await denials.flush()
    await denials.flush()
    (found,) = written
    assert (found.action, found.actor.kind, found.outcome) == (MANY, "anonymous", Outcome.DENIED)
    assert found.details == {"count": 3, "token_missing": 2, "token_expired": 1}


async def test_one_who_is_refused_all_the_time_has_a_few_rows_a_minute_and_a_sum() -> None:
    written = Written()
    denials = Denials(written.write)
    for _ in range(ROWS_PER_CALLER + 5):
        await denials.take(refused("agent", "team/a"))
    await denials.take(refused("agent", "team/b"))
    assert len(written) == ROWS_PER_CALLER + 1
    await denials.flush()
    assert written[-1].actor == Actor("agent", "team/a")
    assert written[-1].details["count"] == 5
    await denials.take(refused("agent", "team/a"))
    assert written[-1].action == "create_job"


async def test_what_failed_is_not_in_the_sum_of_denials() -> None:
    written = Written()
    denials = Denials(written.write)
    for outcome in (Outcome.DENIED, Outcome.FAILED):
        for _ in range(ROWS_PER_CALLER + 2):
            await denials.take(replace(refused("agent", "team/a"), outcome=outcome))
    written.clear()
    await denials.flush()
    found = [(each.outcome, each.details["count"]) for each in written]
    assert found == [(Outcome.DENIED, 2), (Outcome.FAILED, 2)]


async def test_one_who_asks_again_and_again_for_what_is_no_right_of_theirs_has_a_few_rows(
    api: Api,
) -> None:
    async with api.user.post(JOBS, json=JOB) as answer:
        assert answer.status == 201
    headers = await api.key(queues=["other"])
    for _ in range(ROWS_PER_CALLER + 5):
        async with api.anybody.post(f"{JOBS}/nightly/cancel", headers=headers) as answer:
            assert answer.status == 403
    found = await log_of(api, action="cancel_job")
    assert [each.outcome for each in found] == [Outcome.DENIED] * ROWS_PER_CALLER
    assert found[0].object == Object("Job", "nightly")
    assert found[0].details == {"code": "queue_not_permitted", "status": 403}


async def test_an_agent_that_sends_a_file_again_and_again_in_vain_has_a_few_rows(api: Api) -> None:
    _, _, headers = await api.claimed()
    path = "/v1/run/artifacts/a.txt"
    for content in (b"first", *[b"second"] * (ROWS_PER_CALLER + 5)):
        async with api.anybody.put(path, data=content, headers=headers) as answer:
            status = answer.status
    assert status == 409
    begun, done, *failed = await log_of(api, action="put_artifact")
    assert (begun.outcome, done.outcome) == (Outcome.BEGUN, Outcome.DONE)
    assert [each.outcome for each in failed] == [Outcome.FAILED] * ROWS_PER_CALLER


async def test_many_callers_share_one_sum() -> None:
    written = Written()
    denials = Denials(written.write)
    for number in range(1010):
        await denials.take(refused("pod", str(number)))
    assert len(written) == 1000
    await denials.flush()
    assert (written[-1].actor.kind, written[-1].details["count"]) == ("others", 10)


async def test_the_last_sums_are_written_at_the_end() -> None:
    written = Written()
    denials = Denials(written.write)
    task = asyncio.create_task(denials.run())
    await asyncio.sleep(0)
    await denials.take(refused("anonymous"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [each.details["count"] for each in written] == [1]


async def test_sums_whose_writing_is_cut_short_by_the_end_are_written_with_the_last() -> None:
    written, held = Written(), asyncio.Event()

    async def write(entry: AuditEntry) -> None:
        if not held.is_set():
            held.set()
            await asyncio.sleep(3600)
        await written.write(entry)

    denials = Denials(write)
    for name in ("anonymous", "others"):
        await denials.take(refused(name))
    task = asyncio.create_task(denials.run(period=0))
    await held.wait()
    await denials.take(refused("anonymous"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    found = [(each.actor.kind, each.details["count"]) for each in written]
    assert found == [("anonymous", 1), ("others", 1), ("anonymous", 1)]


async def test_last_sums_that_nobody_takes_hold_up_no_end_and_are_counted(
    lost: Callable[[], float],
) -> None:
    async def never(entry: AuditEntry) -> None:
        await asyncio.sleep(3600)

    denials = Denials(never, last_seconds=0.05)
    task = asyncio.create_task(denials.run())
    await asyncio.sleep(0)
    await denials.take(refused("anonymous"))
    before = lost()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert lost() == before + 1


async def test_an_end_that_cannot_be_written_is_counted_and_the_act_stands(
    api: Api, database: Database
) -> None:
    owner = await asyncpg.connect(database.owner)
    await owner.execute(
        "CREATE FUNCTION no_end() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no'; END $$"
    )
    await owner.execute(
        "CREATE TRIGGER no_end BEFORE INSERT ON audit FOR EACH ROW"
        " WHEN (NEW.begun_by IS NOT NULL) EXECUTE FUNCTION no_end()"
    )
    await owner.close()
    lost = metrics.REGISTRY.get_sample_value
    before = lost("coxswain_audit_rows_lost_total") or 0
    async with api.user.post(JOBS, json=JOB) as answer:
        assert answer.status == 201
    assert lost("coxswain_audit_rows_lost_total") == before + 1
    (begun,) = await log_of(api)
    assert begun.outcome is Outcome.BEGUN


async def test_an_approval_is_with_the_word_and_a_denial_of_it_is_by_name(api: Api) -> None:
    spec = {**SPEC, "approval": {"approvers": ["local"]}}
    async with api.user.post(JOBS, json={**JOB, "spec": spec}) as answer:
        assert answer.status == 201, await answer.text()
    async with api.user.get(f"{JOBS}/nightly/approval") as answer:
        shown = (await answer.json())["hash"]
    body = {"hash": shown, "reason": "looks right"}
    async with api.user.post(f"{JOBS}/nightly/approve", json=body) as answer:
        status = answer.status
    (found,) = await log_of(api, action="approve_job")
    assert found.outcome is (Outcome.DONE if status == 200 else Outcome.DENIED)
    assert (found.reason, found.details["hash"]) == ("looks right", shown)


async def test_a_trigger_of_a_schedule_is_with_its_request(api: Api) -> None:
    spec = {
        "cron": ["0 3 * * *"],
        "timeZone": "UTC",
        "jobTemplate": {"spec": SPEC},
    }
    body = {"metadata": {"name": "nightly"}, "spec": spec}
    async with api.user.post("/v1/workspaces/team/schedules", json=body) as answer:
        assert answer.status == 201, await answer.text()
    path = "/v1/workspaces/team/schedules/nightly/trigger"
    asked = {"id": str(uuid4()), "reason": "now"}
    async with api.user.post(path, json=asked) as answer:
        assert answer.status == 202
    (found,) = await log_of(api, action="trigger_schedule")
    assert (found.object, found.reason) == (Object("Schedule", "nightly"), "now")
