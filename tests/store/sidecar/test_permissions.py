"""Every route of the running API, as its OpenAPI document lists them, by every sort of caller.

What is open to whom comes from the one table; that the routes keep to it is tried here, each by each.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from typing_extensions import override

from coxswain.rules.permissions import TABLE, Need, Permission, Role, Scope, Who
from coxswain.store import deliveries, runs
from coxswain.store.pool import Store
from tests.support import ended, rows, sidecar_api
from tests.support.issuer import Issuer
from tests.support.postgres import Database
from tests.support.sidecar_api import Api

HOUR = timedelta(hours=1)
NOW = datetime.now(UTC)
DENIALS = {"wrong_caller", "not_permitted", "not_the_owner", "queue_not_permitted"}
OPEN, REFUSED, FORBIDDEN = "open", 401, 403
ROOT = "/apis/coxswain.dev/v1alpha1/namespaces/team"
RANGE = {"since": "2026-01-01T00:00:00Z", "until": "2026-01-01T01:00:00Z"}
# Bodies without which a route that asks who made the object would not come to ask it.
BODIES: dict[str, dict[str, Any]] = {
    "/review": {"decision": "retry", "reason": "seen"},
    "/redrive": {"reason": "it is back"},
    "/backfill": RANGE,
}
GROUPS: dict[str, dict[str, Any]] = {
    "ops": {"role": "Admin"},
    "admins": {"role": "Admin", "workspaces": ["team"]},
    "team": {"role": "Member", "workspaces": ["team"]},
    "guests": {"role": "Read", "workspaces": ["team"]},
    "others": {"role": "Admin", "workspaces": ["other"]},
}


@dataclass(frozen=True)
class Is:
    """What a principal is to the table."""

    who: Who | None
    role: Role | None = None
    workspace: str | None = "team"
    """Where it has the role; None: everywhere."""
    is_person: bool = False
    has_queues: bool = False
    """Whether it is for some queues only; what is there is of one of them."""

    def finds(self, permission: Permission) -> object:
        """What it should find at a route."""
        if permission.who in (Who.POD, Who.RUN):
            return self._as_pod(permission)
        if self.who is not Who.USER:
            return FORBIDDEN
        return OPEN if self._may(permission) else FORBIDDEN

    def _as_pod(self, permission: Permission) -> object:
        if self.who is Who.USER:
            return FORBIDDEN
        return OPEN if permission.who is Who.POD or self.who is Who.RUN else REFUSED

    def _may(self, permission: Permission) -> bool:
        if permission.who is Who.PERSON and not self.is_person:
            return False
        if self.has_queues and not permission.is_for_some_queues:
            return False
        if permission.scope is Scope.WORKSPACE and self.workspace == "other":
            return False
        if permission.scope is Scope.INSTALLATION and self.workspace is not None:
            return False
        enough = {
            Need.READ: {Role.READ, Role.MEMBER, Role.ADMIN},
            Need.WORK: {Role.MEMBER, Role.ADMIN},
            # Of what is there they made nothing.
            Need.OWN: {Role.ADMIN},
            Need.ADMINISTER: {Role.ADMIN},
        }
        return self.role in enough[permission.need]


class Stranger(Is):
    """Nobody."""

    @override
    def finds(self, permission: Permission) -> object:
        return REFUSED


NOBODY = Stranger(None)
POD, RUN = Is(Who.POD), Is(Who.RUN)
PRINCIPALS: dict[str, Is] = {
    "none": NOBODY,
    "garbage": NOBODY,
    "expired person": NOBODY,
    "person for another audience": NOBODY,
    "person of another issuer": NOBODY,
    "expired pod": NOBODY,
    "pod for another audience": NOBODY,
    "revoked key": NOBODY,
    "expired key": NOBODY,
    "pod that has claimed nothing": POD,
    "pod whose run is over": POD,
    "pod with its run": RUN,
    "read key": Is(Who.USER, Role.READ, None),
    "admin key": Is(Who.USER, Role.ADMIN, None),
    "admin key of another workspace": Is(Who.USER, Role.ADMIN, "other"),
    "admin key for some queues": Is(Who.USER, Role.ADMIN, None, has_queues=True),
    "reader": Is(Who.USER, Role.READ, "team", is_person=True),
    "member": Is(Who.USER, Role.MEMBER, "team", is_person=True),
    "admin of the workspace": Is(Who.USER, Role.ADMIN, "team", is_person=True),
    "admin of another workspace": Is(Who.USER, Role.ADMIN, "other", is_person=True),
    "admin": Is(Who.USER, Role.ADMIN, None, is_person=True),
    "person without a role": Is(Who.USER, None, "team", is_person=True),
    "local token": Is(Who.USER, Role.ADMIN, None, is_person=True),
}


@dataclass(frozen=True)
class World:
    """The API, with one object of each kind that somebody else has made."""

    api: Api
    issuer: Issuer
    delivery: str

    async def headers(self, name: str) -> dict[str, str]:
        """What a principal sends along."""
        person = self.issuer.headers
        known: dict[str, dict[str, str]] = {
            "none": {},
            "garbage": {"Authorization": "Bearer a.b.c"},
            "local token": {"Authorization": f"Bearer {sidecar_api.LOCAL_TOKEN}"},
            "expired person": person("ada", "ops", exp=NOW - HOUR),
            "person for another audience": person("ada", "ops", aud="another"),
            "person of another issuer": person("ada", "ops", iss="https://elsewhere"),
            "person without a role": person("ada", "unheard-of"),
            "reader": person("ada", "guests"),
            "member": person("ada", "team"),
            "admin of the workspace": person("ada", "admins"),
            "admin of another workspace": person("ada", "others"),
            "admin": person("ada", "ops"),
        }
        if name in known:
            return known[name]
        if "key" in name:
            return await self._of_key(name)
        return await self._of_pod(name)

    async def _of_key(self, name: str) -> dict[str, str]:
        fields: dict[str, Any] = {"workspaces": ["other"]} if "another" in name else {}
        if "queues" in name:
            fields = {"queues": ["default"]}
        if name == "expired key":
            fields["expiresAt"] = (datetime.now(UTC) + HOUR).isoformat()
        role = "Read" if name == "read key" else "Admin"
        id_, headers = await self.api.made_key(role, **fields)
        if name == "revoked key":
            async with self.api.user.post(
                f"/v1/keys/{id_}/revoke", json={"reason": "over"}
            ) as answer:
                assert answer.status == 200
        return headers

    async def _of_pod(self, name: str) -> dict[str, str]:
        if name == "pod with its run":
            return (await self.api.claimed())[2]
        if name == "pod whose run is over":
            new, _, headers = await self.api.claimed()
            await self.api.operator.transact(
                runs.close_run, new.key, "Cancelled", knows_result=True
            )
            return headers
        wrong: dict[str, dict[str, Any]] = {
            "expired pod": {"exp": NOW - HOUR},
            "pod for another audience": {"aud": ["coxswain/another"]},
        }
        return self.api.as_pod(rows.pod(), **wrong.get(name, {}))

    async def ask(self, method: str, path: str, headers: dict[str, str]) -> object:
        """What a route answers: open, or the status of a denial."""
        url = path.format(
            workspace="team",
            name="first",
            hash="0" * 64,
            artifact="a.txt",
            delivery=self.delivery,
            key="0" * 16,
        )
        body = None if method == "GET" else self._body(url)
        async with self.api.anybody.request(method, url, headers=headers, json=body) as answer:
            assert answer.status < 500, (method, path)
            if answer.status not in (401, 403):
                return OPEN
            code = (await answer.json(content_type=None))["code"]
        is_denial = answer.status == REFUSED or code in DENIALS
        return answer.status if is_denial else OPEN

    def _body(self, url: str) -> dict[str, Any]:
        return next((body for tail, body in BODIES.items() if url.endswith(tail)), {})


@pytest_asyncio.fixture
async def world(
    database: Database, operator_store: Store, tmp_path: Path, pki: Path
) -> AsyncIterator[World]:
    async with (
        Issuer(pki).serving() as issuer,
        sidecar_api.running(database, operator_store, tmp_path, **issuer.settings(**GROUPS)) as api,
    ):
        await api.cluster.create(f"{ROOT}/schedules", theirs("Schedule"))
        made = await api.cluster.create(f"{ROOT}/jobs", theirs("Job"))
        uid = made["metadata"]["uid"]
        await api.mirrored("first", uid=uid)
        owed = replace(ended.delivery("first"), job_uid=uid)
        await operator_store.transact(deliveries.owe, [owed])
        yield World(api, issuer, str(owed.id))


def theirs(kind: str) -> dict[str, Any]:
    work = {"agentRef": {"name": "reader"}, "title": "x", "prompt": "y"}
    schedule = {"interval": {"seconds": 60}, "jobTemplate": {"spec": work}}
    return {
        "apiVersion": "coxswain.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": "first", "annotations": {"coxswain.dev/requester": "someone-else"}},
        "spec": work if kind == "Job" else schedule,
    }


async def routes(api: Api) -> list[tuple[str, str, dict[str, Any]]]:
    async with api.user.get("/v1/openapi.json") as answer:
        document = await answer.json()
    return [
        (method.upper(), path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]


@pytest.mark.parametrize("name", PRINCIPALS)
async def test_every_route_is_open_to_whom_the_table_names_and_to_nobody_else(
    world: World, database: Database, name: str
) -> None:
    headers = await world.headers(name)
    if name == "expired key":
        await _expire(database)
    known = await routes(world.api)
    assert len(known) > 60
    wrong = []
    for method, path, _ in known:
        expected = PRINCIPALS[name].finds(TABLE[f"{method} {path}"])
        found = await world.ask(method, path, headers)
        if found != expected:
            wrong.append((method, path, expected, found))
    assert wrong == []


async def test_a_pod_may_not_claim_the_run_of_another(world: World) -> None:
    theirs, _ = await world.api.opened(job_name="another", pod_name="another-pod-1")
    body = {"run": f"{theirs.key.job_uid}/1"}
    for pod in (rows.pod(), rows.pod(workspace="other", name="another-pod-1")):
        headers = world.api.as_pod(pod)
        async with world.api.anybody.post("/v1/run/claim", json=body, headers=headers) as answer:
            found = await answer.json(content_type=None)
        assert (answer.status, found["code"]) == (403, "run_of_another")


async def test_the_document_says_of_each_operation_who_may(world: World) -> None:
    for method, path, operation in await routes(world.api):
        permission = TABLE[f"{method} {path}"]
        security = {name: roles for each in operation["security"] for name, roles in each.items()}
        if permission.is_for_users:
            assert security["person"] == [permission.role]
            assert ("key" in security) == permission.is_for_machines
        else:
            assert security == {"pod": []}


async def _expire(database: Database) -> None:
    connection = await asyncpg.connect(database.owner)
    await connection.execute("UPDATE api_keys SET expires_at = now() - interval '1 second'")
    await connection.close()
