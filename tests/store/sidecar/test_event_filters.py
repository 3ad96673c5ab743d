"""Which events a page and a stream give: chosen by the caller, and among what they may see."""

from typing import Any

import pytest

from coxswain.store import events
from tests.support.event_streams import LIVE, reading
from tests.support.rows import event
from tests.support.sidecar_api import Api

UID = "0198f0a0-0000-4000-8000-000000000001"
QUERIES = {
    "agent=reader": ["job.created", "agent.ready", "job.succeeded"],
    "agent=reader&type=job.": ["job.created", "job.succeeded"],
    "type=agent.ready,user.": ["agent.ready", "user.note"],
    "agent=reader&workspace=other": [],
    "job=first&workspace=team&type=job.created,job.failed": ["job.created"],
    "workspace=other": ["user.note"],
}


async def happened(api: Api) -> None:
    spec = {"agentRef": {"name": "reader"}}
    await api.mirrored("first", phase="Running", uid=UID, spec=spec)
    about = {"uid": UID, "workspace": "team", "kind": "Job", "name": "first"}
    batch = [
        event("job.created", **about, actor="operator"),
        event("agent.ready", kind="Agent", name="reader", workspace="team"),
        event("user.note", workspace="other"),
        event("run.output", **about, attempt=1, actor="agent:team/writer"),
        event("job.succeeded", **about, actor="operator"),
    ]
    await api.operator.run(events.append, batch)


async def kinds(api: Api, query: str, **headers: str) -> list[str]:
    async with api.user.get(f"/v1/events?{query}", headers=headers) as answer:
        found = await answer.json(content_type=None)
        assert answer.status == 200, found
    return [each["type"] for each in found["events"]]


async def refused(api: Api, query: str, **headers: str) -> tuple[int, Any]:
    async with api.user.get(f"/v1/events?{query}", headers=headers) as answer:
        return answer.status, (await answer.json(content_type=None)).get("field")


@pytest.mark.parametrize(("query", "wanted"), QUERIES.items(), ids=QUERIES)
async def test_a_page_and_a_stream_give_what_was_chosen(
    api: Api, query: str, wanted: list[str]
) -> None:
    await happened(api)
    assert await kinds(api, query) == wanted
    # Out of Postgres, as it happened before; and then out of memory, as it happens now.
    async with reading(api.user, f"/v1/events?{query}", after=0) as reader:
        assert [each.data["type"] for each in await reader.take(len(wanted))] == wanted
        await happened(api)
        assert [each.data["type"] for each in await reader.take(len(wanted))] == wanted


async def test_who_sees_one_workspace_is_given_nothing_of_another(api: Api) -> None:
    await happened(api)
    headers = await api.key(role="Read", workspaces=["other"])
    assert await kinds(api, "", **headers) == ["user.note"]
    assert await kinds(api, "agent=reader", **headers) == []
    assert await refused(api, "workspace=team", **headers) == (403, "query.workspace")
    async with reading(api.user, "/v1/events", 0, headers) as reader:
        frames = await reader.take(1)
    assert [each.data["type"] for each in frames] == ["user.note"]


@pytest.mark.parametrize("form", [{}, LIVE], ids=["page", "stream"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("agents=reader", "query.agents"),
        ("type=job.created,", "query.type"),
        ("type=Job.", "query.type"),
        ("type=" + ",".join(["a"] * 17), "query.type"),
        ("type=a&type=b", "query.type"),
        ("agent=No%20Agent", "query.agent"),
        ("wait=31", "query.wait"),
        ("wait=-1", "query.wait"),
        ("session=a%20b", "query.session"),
    ],
)
async def test_what_is_no_filter_is_refused_by_its_name(
    api: Api, form: dict[str, str], query: str, field: str
) -> None:
    assert await refused(api, query, **form) == (422, field)


async def test_what_only_the_other_form_knows_is_refused(api: Api) -> None:
    assert await refused(api, "wait=1", **LIVE) == (422, "query.wait")
    assert await refused(api, "session=tab-1") == (422, "query.session")
