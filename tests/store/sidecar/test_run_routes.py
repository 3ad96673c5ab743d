import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from coxswain.api.agent import Provider
from coxswain.api.contract import ARTIFACT_BYTES, EVENT_BYTES, ModelRoute
from coxswain.store import events, runs, uuid7
from coxswain.store.pool import Connection
from coxswain.store.runs import RunKey
from tests.support import rows
from tests.support.sidecar_api import Api


def said(seq: int, fields: dict[str, Any] | None = None) -> dict[str, Any]:
    event = {
        "id": str(uuid7.new(datetime.now(UTC))),
        "seq": seq,
        "type": "run.output",
        "details": {"stream": "stdout", "text": f"line {seq}\n"},
    }
    return event | (fields or {})


async def post(
    api: Api, route: str, body: dict[str, Any] | None, headers: dict[str, str]
) -> tuple[int, dict[str, Any]]:
    async with api.anybody.post(f"/v1/run/{route}", json=body or {}, headers=headers) as answer:
        if answer.status == 204:
            return 204, {}
        return answer.status, await answer.json(content_type=None)


async def test_a_pod_claims_its_run_and_reads_it(api: Api) -> None:
    new, pod = await api.opened()
    run = f"{new.key.job_uid}/{new.key.attempt}"
    for _ in range(2):
        status, answer = await post(api, "claim", {"run": run}, api.as_pod(pod))
        assert status == 200
    assert answer["run"]["prompt"] == "What is it about?"
    assert (answer["token"], answer["lastSeq"]) == (1, 0)
    apart = datetime.fromisoformat(answer["serverTime"]) - datetime.now(UTC)
    assert abs(apart) < timedelta(minutes=1)


async def test_a_pod_does_not_read_how_models_are_reached(api: Api) -> None:
    new, _ = await api.opened()
    route = ModelRoute(
        alias="main", provider=Provider.OPENAI, model="m", base_url="https://x", secret_name="key"
    )
    document = new.document.model_copy(update={"models": [route], "attempt": 2})
    second = rows.new_run(new.key.job_uid, 2)
    await api.operator.transact(
        runs.open_run, type(second)(**{**vars(second), "document": document})
    )
    owner = rows.pod(name=second.pod_name)
    _, answer = await post(api, "claim", {"run": f"{new.key.job_uid}/2"}, api.as_pod(owner))
    assert answer["run"]["models"] == [{"alias": "main", "provider": "openai", "model": "m"}]


async def test_what_a_newer_operator_wrote_reaches_the_pod(api: Api) -> None:
    new, pod = await api.opened()
    document = {**new.document.to_wire(), "mood": {"of": "the day"}}

    async def writes(connection: Connection) -> None:
        await connection.execute("UPDATE runs SET document = $1", document)

    await api.operator.transact(writes)
    run = f"{new.key.job_uid}/{new.key.attempt}"
    status, answer = await post(api, "claim", {"run": run}, api.as_pod(pod))
    assert (status, answer["run"]["mood"]) == (200, {"of": "the day"})


async def test_claims_that_lose_say_why(api: Api) -> None:
    new, pod = await api.opened()
    run = {"run": f"{new.key.job_uid}/1"}
    await post(api, "claim", run, api.as_pod(pod))
    late = api.as_pod(rows.pod(name=pod.name))
    other = api.as_pod(rows.pod(name="another-pod"))
    unknown = {"run": f"{uuid4()}/1"}
    answers = [
        await post(api, "claim", run, late),
        await post(api, "claim", run, other),
        await post(api, "claim", unknown, late),
        await post(api, "claim", {"run": "x"}, late),
    ]
    assert [(status, body["code"]) for status, body in answers] == [
        (409, "run_taken"),
        (403, "run_of_another"),
        (404, "run_unknown"),
        (422, "invalid"),
    ]
    await api.operator.transact(runs.close_run, new.key, "Lost", knows_result=False)
    status, body = await post(api, "claim", run, late)
    assert (status, body["code"]) == (409, "run_closed")


async def test_before_the_claim_nothing_else_is_served(api: Api) -> None:
    _, pod = await api.opened()
    status, body = await post(api, "heartbeat", None, api.as_pod(pod))
    assert (status, body["code"]) == (401, "run_unclaimed")


async def test_events_are_kept_once_and_counted(api: Api) -> None:
    _, _, headers = await api.claimed()
    batch = {"events": [said(1), said(2)]}
    first = await post(api, "events", batch, headers)
    again = await post(api, "events", batch, headers)
    assert first == (200, {"accepted": 2, "duplicates": 0, "lastSeq": 2, "position": 3})
    assert again == (200, {"accepted": 0, "duplicates": 2, "lastSeq": 2, "position": 3})


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"type": "job.succeeded"}, 422, "events.1.type"),
        ({"type": "run.result"}, 422, "events.1.type"),
        ({"type": "run.claimed"}, 422, "events.1.type"),
        ({"type": "run.egress.closed"}, 422, "events.1.type"),
        ({"type": "run.approval.ended"}, 422, "events.1.type"),
        ({"type": "Run"}, 422, "events.1.type"),
        ({"seq": 0}, 422, "events.1.seq"),
        ({"id": str(uuid4())}, 422, "events.1.id"),
        ({"extra": 1}, 422, "events.1.extra"),
        ({"id": str(uuid7.new(datetime.now(UTC) + timedelta(hours=1)))}, 422, "id"),
        ({"id": str(uuid7.derived(datetime.now(UTC), "taken"))}, 422, "events.1.id"),
        ({"details": {"text": "x" * EVENT_BYTES}}, 413, "events.1.details"),
        ({"details": {"text": "nul \x00"}}, 422, "events.1.details.text"),
    ],
)
async def test_a_wrong_event_refuses_its_batch_and_says_which(
    api: Api, change: dict[str, Any], status: int, field: str | None
) -> None:
    _, _, headers = await api.claimed()
    batch = {"events": [said(1), said(2, change)]}
    got, body = await post(api, "events", batch, headers)
    page = await api.operator.run(events.after, 0, events.Filter(type="run.output"))
    assert (got, body.get("field")) == (status, field)
    assert page.events == ()


async def test_a_heartbeat_hears_of_a_cancel(api: Api) -> None:
    new, _, headers = await api.claimed()
    assert await post(api, "heartbeat", None, headers) == (200, {"cancel": False})
    await api.operator.transact(runs.request_cancel, new.key)
    assert await post(api, "heartbeat", None, headers) == (200, {"cancel": True})


async def test_acts_stand_open_until_they_end(api: Api) -> None:
    new, _, headers = await api.claimed()
    act = {"id": str(uuid4()), "name": "run_command", "phase": "begin"}
    assert (await post(api, "acts", act, headers))[0] == 204
    run = await api.operator.run(runs.of, new.key)
    assert run is not None
    assert run.acts_open == {act["id"]: "run_command"}
    assert (await post(api, "acts", act | {"phase": "end"}, headers))[0] == 204
    run = await api.operator.run(runs.of, new.key)
    assert run is not None
    assert run.acts_open == {}


async def test_one_result_counts(api: Api) -> None:
    new, _, headers = await api.claimed()
    result = {"status": "succeeded", "answer": "42", "exitCode": 0}
    answers = [
        await post(api, "result", result, headers),
        await post(api, "result", result, headers),
        await post(api, "result", result | {"answer": "43"}, headers),
    ]
    run = await api.operator.run(runs.of, new.key)
    assert [status for status, _ in answers] == [204, 204, 409]
    assert answers[2][1]["code"] == "result_differs"
    assert run is not None
    assert run.result is not None
    assert run.result.answer == "42"


async def test_a_run_that_is_over_is_401_everywhere(api: Api) -> None:
    new, _, headers = await api.claimed()
    await post(api, "heartbeat", None, headers)
    await api.operator.transact(runs.close_run, new.key, "Lost", knows_result=False)
    act = {"id": str(uuid4()), "name": "x", "phase": "begin"}
    answers = [
        await post(api, "heartbeat", None, headers),
        await post(api, "events", {"events": [said(1)]}, headers),
        await post(api, "acts", act, headers),
        await post(api, "result", {"status": "failed"}, headers),
    ]
    assert [(status, body["code"]) for status, body in answers] == [(401, "run_closed")] * 4


async def test_a_former_attempt_cannot_write_into_the_next(api: Api) -> None:
    new, _, zombie = await api.claimed()
    await api.operator.transact(runs.close_run, new.key, "Lost", knows_result=False)
    second = rows.new_run(new.key.job_uid, 2)
    await api.operator.transact(runs.open_run, second)
    status, body = await post(api, "claim", {"run": f"{new.key.job_uid}/2"}, zombie)
    assert (status, body["code"]) == (403, "run_of_another")
    assert (await post(api, "events", {"events": [said(1)]}, zombie))[0] == 401
    run = await api.operator.run(runs.of, RunKey(new.key.job_uid, 2))
    assert run is not None
    assert run.pod_uid is None


async def test_a_file_is_kept_up_to_the_limit(api: Api) -> None:
    _, _, headers = await api.claimed()
    url = "/v1/run/artifacts/stdout.txt"
    kind = {"Content-Type": "text/plain"}

    async def put(content: bytes) -> int:
        data = io.BytesIO(content)
        async with api.anybody.put(url, data=data, headers=headers | kind) as answer:
            return answer.status

    whole = b"x" * ARTIFACT_BYTES
    assert [await put(each) for each in (whole, whole, b"other", whole + b"x")] == [
        204,
        204,
        409,
        413,
    ]


async def test_people_may_not_use_the_doors_of_pods_nor_pods_those_of_people(api: Api) -> None:
    _, _, headers = await api.claimed()
    async with api.user.post("/v1/run/heartbeat") as answer:
        assert (answer.status, (await answer.json(content_type=None))["code"]) == (
            403,
            "wrong_caller",
        )
    for path in ("/v1/jobs", "/v1/events", "/v1/agents", "/v1/workspaces/team/jobs/first/log"):
        async with api.anybody.get(path, headers=headers) as answer:
            assert answer.status == 403


async def test_a_token_of_another_audience_is_401(api: Api) -> None:
    _, pod = await api.opened()
    headers = api.as_pod(pod, aud=["https://kubernetes.default.svc"])
    status, body = await post(api, "heartbeat", None, headers)
    assert (status, body["code"]) == (401, "token_audience")


async def test_a_claim_and_a_result_are_events_of_the_agent(api: Api) -> None:
    _, _, headers = await api.claimed()
    await post(api, "result", {"status": "failed", "reason": "Broken"}, headers)
    page = await api.operator.run(events.after, 0)
    found = [each.event for each in page.events]
    assert [each.type for each in found] == ["run.claimed", "run.result"]
    assert {each.actor for each in found} == {"agent:team/reader"}
