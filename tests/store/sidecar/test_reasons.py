"""Who sets aside what automation does says why, and the audit log keeps it."""

from typing import Any
from uuid import uuid4

import pytest

from coxswain.api.audit import AuditEntry
from coxswain.rules.overrides import TABLE
from coxswain.store import audit, events
from coxswain.store.audit import Query
from tests.support.leases import Leases
from tests.support.sidecar_api import Api

NAMES = {"workspace": "team", "name": "first", "delivery": str(uuid4()), "key": "0" * 16}
BODIES: dict[str, dict[str, Any]] = {
    "/review": {"decision": "retry"},
    "/reclaim": {"token": 1},
    "/acquire": {"steal": True},
    "/flags": {"demoProvider": False},
}
DEPLOY = "/v1/workspaces/team/leases/deploy"


@pytest.fixture
def leases(api: Api) -> Leases:
    return Leases(api.operator, api.operator)


async def rows(api: Api, action: str) -> list[AuditEntry]:
    page = await api.operator.run(audit.page, Query(action=action))
    return [row.entry for row in page.rows]


@pytest.mark.parametrize("route", TABLE)
@pytest.mark.parametrize("said", [{}, {"reason": ""}, {"reason": " \n"}, {"reason": None}])
async def test_without_a_reason_it_is_refused_by_that_name(
    api: Api, route: str, said: dict[str, Any]
) -> None:
    method, path = route.split(" ")
    known = next((body for end, body in BODIES.items() if path.endswith(end)), {})
    url = path.format(**NAMES)
    async with api.user.request(method, url, json={**known, **said}) as answer:
        problem = await answer.json(content_type=None)
        assert (answer.status, problem.get("field")) == (422, "reason"), problem
    async with api.user.request(method, url, json={**known, "reason": "x"}) as answer:
        # What is not there is not found, and the rest is done: nothing else was wrong.
        assert answer.status in {200, 404}, await answer.text()


async def test_the_reason_stands_with_the_act(api: Api) -> None:
    id_, _ = await api.made_key()
    async with api.user.post(f"/v1/keys/{id_}/revoke", json={"reason": "it leaked"}) as answer:
        assert answer.status == 200
    begun = [each for each in await rows(api, "revoke_key") if each.begun_by is None]
    assert [each.reason for each in begun] == ["it leaked"]


async def test_why_a_lease_was_stolen_is_in_the_event_and_in_the_audit_log(
    api: Api, leases: Leases
) -> None:
    await leases.has(steal_after_seconds=1)
    async with api.user.post(f"{DEPLOY}/acquire", json={"holder": "one"}) as answer:
        assert answer.status == 200

    await leases.passes(2)
    theft = {"holder": "two", "steal": True, "reason": "one hangs"}
    async with api.user.post(f"{DEPLOY}/acquire", json=theft) as answer:
        assert answer.status == 200, await answer.text()
    which = events.Filter(type="lease.reclaimed")
    (told,) = (await api.operator.run(events.after, 0, which)).events
    assert (told.event.details["reason"], told.event.details["message"]) == ("Stolen", "one hangs")
    assert [each.reason for each in await rows(api, "lease.reclaimed")] == ["one hangs"]


async def test_who_steals_nothing_says_nothing(api: Api, leases: Leases) -> None:
    await leases.has()
    async with api.user.post(f"{DEPLOY}/acquire", json={}) as answer:
        assert answer.status == 200
