"""What comes in as events is checked against its type, and refused whole with the place that is wrong."""

from datetime import UTC, datetime
from typing import Any

import pytest

from coxswain.store import events, uuid7
from tests.support.golden_events import GOLDEN
from tests.support.rows import event
from tests.support.sidecar_api import Api

OF_RUNS = [
    (key, payload)
    for key, both in GOLDEN.items()
    for payload in both
    if key.startswith(("run.output", "run.model", "run.tool", "run.answer", "run.step"))
]
DEEP: Any = "bottom"
for _ in range(80):
    DEEP = [DEEP]


def said(seq: int, **change: Any) -> dict[str, Any]:
    known = {"type": "run.answer", "details": {"text": "42"}}
    return {"id": str(uuid7.new(datetime.now(UTC))), "seq": seq, **known, **change}


async def tells(api: Api, headers: dict[str, str], *batch: dict[str, Any]) -> tuple[int, Any]:
    body = {"events": list(batch)}
    async with api.anybody.post("/v1/run/events", json=body, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def notes(api: Api, **fields: Any) -> tuple[int, Any]:
    body = {"events": [{"id": str(event().id), "type": "user.note", **fields}]}
    async with api.user.post("/v1/events", json=body) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_a_run_tells_every_type_that_is_its_own(api: Api) -> None:
    _, _, headers = await api.claimed()
    batch = [
        said(seq, type=key.rpartition(".v")[0], details=payload)
        for seq, (key, payload) in enumerate(OF_RUNS, 1)
    ]
    assert len(batch) == 18
    status, answer = await tells(api, headers, *batch)
    assert (status, answer["accepted"], answer["lastSeq"]) == (200, 18, 18)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"details": {}}, "events.1.details.text"),
        ({"details": {"text": 7}}, "events.1.details.text"),
        ({"type": "run.output"}, "events.1.details.stream"),
        (
            {"type": "run.output", "details": {"text": "", "stream": "stdin"}},
            "events.1.details.stream",
        ),
        (
            {"type": "run.output", "details": {"stream": "stdout", "text": "", "bytes": "5"}},
            "events.1.details.bytes",
        ),
        (
            {"type": "run.output", "details": {"stream": "stdout", "text": "", "overflow": "yes"}},
            "events.1.details.overflow",
        ),
        ({"type": "run.sang"}, "events.1.type"),
        ({"type": "run.result"}, "events.1.type"),
        ({"type": "user.note"}, "events.1.type"),
        ({"eventVersion": 2}, "events.1.eventVersion"),
        ({"eventVersion": 0}, "events.1.eventVersion"),
        ({"details": {"text": "", "more": [{"deep": "\0"}]}}, "events.1.details.more.0.deep"),
        ({"type": "run.custom.mood", "details": {"a\0b": 1}}, "events.1.details"),
    ],
)
async def test_what_does_not_fit_its_type_refuses_the_batch_and_says_where(
    api: Api, change: dict[str, Any], field: str
) -> None:
    _, _, headers = await api.claimed()
    status, problem = await tells(api, headers, said(1), said(2, **change), said(3))
    page = await api.operator.run(events.after, 0, events.Filter(type="run.answer"))
    assert (status, problem["field"]) == (422, field)
    assert problem["message"]
    assert page.events == ()


async def test_a_refusal_of_a_type_says_which_there_are(api: Api) -> None:
    _, _, headers = await api.claimed()
    _, unknown = await tells(api, headers, said(1, type="run.sang"))
    assert "run.tool_call" in unknown["message"]
    assert "run.custom." in unknown["message"]
    _, ours = await tells(api, headers, said(1, type="run.claimed"))
    assert "platform alone" in ours["message"]


async def test_types_and_versions_of_ones_own_are_kept_with_any_data(api: Api) -> None:
    _, _, headers = await api.claimed()
    mood = said(1, type="run.custom.mood", eventVersion=4, details={"of": [1, {"x": None}]})
    assert (await tells(api, headers, mood))[0] == 200
    assert (await notes(api, eventVersion=2, details={"any": {"thing": True}}))[0] == 200
    async with api.user.get("/v1/events?after=1") as answer:
        found = (await answer.json())["events"]
    assert [(each["type"], each["eventVersion"], each["schemaVersion"]) for each in found] == [
        ("run.custom.mood", 4, 1),
        ("user.note", 2, 1),
    ]
    assert found[0]["details"] == {"of": [1, {"x": None}]}


async def test_a_field_that_only_a_newer_program_knows_is_kept(api: Api) -> None:
    _, _, headers = await api.claimed()
    details = {"text": "42", "mood": {"of": "the day"}}
    assert (await tells(api, headers, said(1, details=details)))[0] == 200
    page = await api.operator.run(events.after, 0, events.Filter(type="run.answer"))
    assert page.events[0].event.details == details


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"details": {"text": "a\0b"}}, "events.0.details.text"),
        ({"details": {"list": ["fine", "a\0b"]}}, "events.0.details.list.1"),
        ({"details": {"x": DEEP}}, "events.0.details"),
        ({"name": "a\0b"}, "events.0.name"),
        ({"kind": "a\0b"}, "events.0.kind"),
        ({"type": "run.custom.mood"}, "events.0.type"),
    ],
)
async def test_what_the_database_could_not_keep_is_named(
    api: Api, change: dict[str, Any], field: str
) -> None:
    status, problem = await notes(api, **change)
    assert (status, problem["field"]) == (422, field)
    assert await api.operator.run(events.head) == 0


async def test_the_log_is_asked_by_time_and_by_what_matters_to_security(api: Api) -> None:
    refused = {"host": "a.example", "port": 443, "code": "host_not_listed", "message": "no"}
    batch = [event("run.egress.refused", workspace="team", details=refused), event()]
    await api.operator.run(events.append, batch)
    for query, wanted in [
        ("security=true", [1]),
        ("security=true&type=approval.", []),
        ("since=2020-01-01T00:00:00Z", [1, 2]),
        ("since=2020-01-01T00:00:00Z&security=true&workspace=team", [1]),
        ("since=2200-01-01T00:00:00%2B02:00", []),
        ("since=2020-01-01T00:00:00Z&type=user.note", [2]),
    ]:
        async with api.user.get(f"/v1/events?{query}") as answer:
            assert [each["position"] for each in (await answer.json())["events"]] == wanted, query


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=yesterday", "query.since"),
        ("since=2020-01-01T00:00:00", "query.since"),
        ("since=9999-12-31T23:59:59-01:00", "query.since"),
        ("since=0001-01-01T00:00:00%2B01:00", "query.since"),
        ("security=maybe", "query.security"),
    ],
)
async def test_a_wrong_question_is_refused_with_its_place(api: Api, query: str, field: str) -> None:
    async with api.user.get(f"/v1/events?{query}") as answer:
        assert (answer.status, (await answer.json(content_type=None))["field"]) == (422, field)


async def test_a_stream_does_not_pretend_to_look_back_by_time(api: Api) -> None:
    live = {"Accept": "text/event-stream"}
    for query in ("since=2020-01-01T00:00:00Z", "security=true"):
        async with api.user.get(f"/v1/events?{query}", headers=live) as answer:
            assert answer.status == 422


async def test_the_asyncapi_document_is_served_to_whom_we_know(api: Api) -> None:
    async with api.user.get("/v1/asyncapi.json") as answer:
        document = await answer.json()
    assert (answer.status, document["asyncapi"]) == (200, "3.0.0")
    assert document["components"]["messages"]["job.failed.v1"]["name"] == "job.failed"
    async with api.anybody.get("/v1/asyncapi.json") as answer:
        assert answer.status == 401
