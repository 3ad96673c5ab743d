"""The outbox over HTTP: list, read with every try, redrive."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from coxswain.api.deliveries import DeliveryState, NewDelivery, Outcome, Settled, Try
from coxswain.store import deliveries, events
from coxswain.store.deliveries import Room
from coxswain.store.pool import Store
from tests.support import ended, rows
from tests.support.sidecar_api import Api

PATH = "/v1/workspaces/team/deliveries"
WHY = {"reason": "it is back"}
AT = datetime(2026, 11, 21, 3, tzinfo=UTC)


async def settled(
    api: Api, gateway: Store, name: str, found: Settled, status: int | None = 410
) -> NewDelivery:
    """A delivery that was tried once, with what came of it."""
    one = ended.delivery(name)
    await api.operator.transact(deliveries.owe, [one])
    (claimed,) = await gateway.run(deliveries.claim, Room(1, 1, {}), 60.0)
    error = "" if status is not None else "timeout"
    tried = Try(1, AT, 1500, status, error)
    event = rows.event("callback.failed")
    await gateway.transact(deliveries.settle, [Outcome(claimed, found, tried, event)])
    return one


async def read(api: Api, path: str, status: int = 200) -> Any:
    async with api.user.get(path) as answer:
        assert answer.status == status
        return await answer.json()


async def test_a_delivery_is_read_with_every_try_and_without_what_was_sent(
    api: Api, gateway_store: Store
) -> None:
    gone = Settled(DeliveryState.DEAD, "Gone")
    one = await settled(api, gateway_store, "a", gone)
    found = await read(api, f"{PATH}/{one.id}")
    created, done = found.pop("createdAt"), found.pop("endedAt")
    assert created <= done
    assert found == {
        "id": str(one.id),
        "workspace": "team",
        "job": "a",
        "jobId": one.job_uid,
        "type": "job.succeeded",
        "url": one.url,
        "state": "Dead",
        "reason": "Gone",
        "tries": 1,
        "log": [{"number": 1, "at": "2026-11-21T03:00:00Z", "milliseconds": 1500, "status": 410}],
    }


async def test_a_try_without_an_answer_says_why_and_a_pending_delivery_when_it_is_due(
    api: Api, gateway_store: Store
) -> None:
    later = Settled(DeliveryState.PENDING, wait_seconds=60)
    one = await settled(api, gateway_store, "a", later, status=None)
    found = await read(api, f"{PATH}/{one.id}")
    assert found["state"] == "Pending"
    assert found["dueAt"] > found["createdAt"]
    assert found["log"][0]["error"] == "timeout"
    assert "status" not in found["log"][0]


async def test_deliveries_are_listed_by_workspace_state_and_job(
    api: Api, gateway_store: Store
) -> None:
    await settled(api, gateway_store, "a", Settled(DeliveryState.DEAD, "Gone"))
    await api.operator.transact(deliveries.owe, [ended.delivery("b"), ended.delivery("c")])

    async def listed(path: str) -> set[str]:
        return {each["job"] for each in (await read(api, path))["items"]}

    assert await listed("/v1/deliveries") == {"a", "b", "c"}
    assert await listed(f"{PATH}?state=Dead") == {"a"}
    assert await listed(f"{PATH}?job=b") == {"b"}
    assert await listed("/v1/workspaces/another/deliveries") == set()
    first = await read(api, f"{PATH}?limit=2")
    rest = await read(api, f"{PATH}?limit=2&cursor={first['next']}")
    assert len(first["items"]) == 2
    assert len(rest["items"]) == 1
    assert "next" not in rest


@pytest.mark.parametrize("state", [DeliveryState.DEAD, DeliveryState.SKIPPED])
async def test_a_redrive_makes_it_due_again_and_may_be_repeated(
    api: Api, gateway_store: Store, state: DeliveryState
) -> None:
    one = await settled(api, gateway_store, "a", Settled(state, "Why"))
    for _ in range(2):
        async with api.user.post(f"{PATH}/{one.id}/redrive", json=WHY) as answer:
            assert answer.status == 202
            assert (await answer.json())["state"] == "Pending"
    (claimed,) = await gateway_store.run(deliveries.claim, Room(1, 1, {}), 60.0)
    assert claimed.delivery.id == one.id
    which = events.Filter(type="callback.redriven")
    (happened,) = (await gateway_store.run(events.after, 0, which)).events
    assert (happened.event.actor, happened.event.uid) == ("user:local", one.job_uid)
    assert happened.event.details == {"delivery": str(one.id), "was": state, "reason": "Why"}


async def test_what_was_delivered_or_is_not_there_cannot_be_driven_again(
    api: Api, gateway_store: Store
) -> None:
    one = await settled(api, gateway_store, "a", Settled(DeliveryState.DELIVERED), 200)

    async def refused(delivery: UUID, workspace: str = "team") -> tuple[int, str]:
        path = f"/v1/workspaces/{workspace}/deliveries/{delivery}/redrive"
        async with api.user.post(path, json=WHY) as answer:
            return answer.status, (await answer.json())["code"]

    assert await refused(one.id) == (409, "delivery_delivered")
    assert await refused(uuid4()) == (404, "not_found")
    assert await refused(one.id, "another") == (404, "not_found")
    await read(api, f"{PATH}/{uuid4()}", 404)


@pytest.mark.parametrize("query", ["state=Lost", "limit=0", "colour=red", "cursor=x"])
async def test_a_wrong_question_is_refused(api: Api, query: str) -> None:
    async with api.user.get(f"{PATH}?{query}") as answer:
        assert answer.status in (400, 422)
        assert (await answer.json())["field"] == f"query.{query.split('=')[0]}"


async def test_an_id_that_is_none_is_refused(api: Api) -> None:
    async with api.user.get(f"{PATH}/x") as answer:
        assert answer.status in (400, 404, 422)
