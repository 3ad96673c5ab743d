"""API keys for machines, over HTTP and in the records."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from coxswain.errors import CoxswainError, UnauthenticatedError
from coxswain.identity.machines import REMEMBER_SECONDS, Machines
from coxswain.rules import api_keys as rules
from coxswain.store import api_keys
from coxswain.store.api_keys import NewApiKey, Which
from coxswain.store.pool import Connection, Store
from tests.support.postgres import Database
from tests.support.sidecar_api import Api
from tests.support.ticking import Ticking

KEYS = "/v1/keys"
JOBS = "/v1/workspaces/team/jobs"
SPEC = {"agentRef": {"name": "reader"}, "title": "The first", "prompt": "What is it about?"}
NEW = {"metadata": {"name": "first"}, "spec": SPEC}


async def status(api: Api, method: str, path: str, headers: dict[str, str], **given: Any) -> Any:
    async with api.anybody.request(method, path, headers=headers, **given) as answer:
        body = await answer.json(content_type=None)
        return answer.status, body.get("code")


async def kept(store: Store, text: str, **fields: Any) -> None:
    id_ = rules.id_of(text)
    assert id_ is not None
    known: dict[str, Any] = {"role": "Read", "workspaces": None, "queues": None}
    known |= {"name": "ci", "made_by": "ada", "expires_at": None, **fields}
    await store.transact(api_keys.make, NewApiKey(id=id_, secret_hash=rules.hash_of(text), **known))


async def test_a_key_is_shown_once_and_opens_what_its_role_may(api: Api) -> None:
    async with api.user.post(KEYS, json={"name": "ci", "role": "Admin"}) as answer:
        made = await answer.json()
        assert (answer.status, answer.headers["Cache-Control"]) == (201, "no-store")
    headers = {"Authorization": f"Bearer {made['secret']}"}
    assert await status(api, "POST", JOBS, headers, json=NEW) == (201, None)
    async with api.user.get(KEYS) as answer:
        text = await answer.text()
        (listed,) = (await answer.json())["items"]
    assert made["secret"] not in text
    assert made["secret"].split("_", 2)[2] not in text
    assert (listed["id"], listed["state"], listed["madeBy"]) == (made["id"], "Live", "local")
    assert "lastUsedAt" in listed


async def test_only_the_hash_of_a_key_is_in_the_database(api: Api, database: Database) -> None:
    _, headers = await api.made_key()
    secret = headers["Authorization"].removeprefix("Bearer ")
    connection = await asyncpg.connect(database.admin)
    rows = await connection.fetch("SELECT api_keys::text AS text, secret_hash FROM api_keys")
    await connection.close()
    (row,) = rows
    assert secret.split("_", 2)[2] not in row["text"]
    assert row["secret_hash"] == rules.hash_of(secret)


async def test_a_read_key_reads_and_gets_403_on_whatever_changes_something(api: Api) -> None:
    headers = await api.key("Read")
    await api.user.post(JOBS, json=NEW)
    assert await status(api, "GET", f"{JOBS}/first", headers) == (200, None)
    assert await status(api, "POST", JOBS, headers, json=NEW) == (403, "not_permitted")
    cancel = f"{JOBS}/first/cancel"
    assert await status(api, "POST", cancel, headers) == (403, "not_permitted")


async def test_a_key_of_other_workspaces_opens_and_tells_nothing_of_this_one(api: Api) -> None:
    headers = await api.key(workspaces=["other"])
    await api.mirrored("first")
    await api.mirrored("second", workspace="other")
    assert await status(api, "GET", f"{JOBS}/first", headers) == (403, "not_permitted")
    assert await status(api, "POST", JOBS, headers, json=NEW) == (403, "not_permitted")
    async with api.anybody.get("/v1/jobs", headers=headers) as answer:
        assert [each["name"] for each in (await answer.json())["items"]] == ["second"]


async def test_a_key_for_some_queues_makes_and_ends_jobs_of_no_other(api: Api) -> None:
    headers = await api.key(queues=["nightly"])
    refused = (403, "queue_not_permitted")
    assert await status(api, "POST", JOBS, headers, json=NEW) == refused
    nightly = {"metadata": {"name": "late"}, "spec": {**SPEC, "queue": "nightly"}}
    assert await status(api, "POST", JOBS, headers, json=nightly) == (201, None)
    await api.user.post(JOBS, json=NEW)
    assert await status(api, "POST", f"{JOBS}/first/cancel", headers) == refused
    assert await status(api, "POST", f"{JOBS}/late/cancel", headers) == (202, None)


async def test_a_machine_makes_no_keys_and_agrees_to_nothing(api: Api) -> None:
    headers = await api.key()
    new = {"name": "more", "role": "Admin"}
    assert await status(api, "POST", KEYS, headers, json=new) == (403, "not_permitted")
    word = {"hash": "0" * 64}
    approve = f"{JOBS}/first/approve"
    assert await status(api, "POST", approve, headers, json=word) == (403, "not_permitted")


async def test_what_a_machine_makes_carries_its_name(api: Api) -> None:
    await status(api, "POST", JOBS, await api.key(), json=NEW)
    stored = api.cluster.objects["/apis/coxswain.dev/v1alpha1/namespaces/team/jobs/first"]
    assert stored["metadata"]["annotations"] == {"coxswain.dev/requester": "key:ci"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"role": "Owner"}, "role"),
        ({"name": "No Name"}, "name"),
        ({"workspaces": []}, "workspaces"),
        ({"queues": ["x y"]}, "queues.0"),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt"),
        ({"expiresAt": "2090-01-01T00:00:00"}, "expiresAt"),
        ({"secret": "mine"}, "secret"),
    ],
)
async def test_a_wrong_key_is_refused_with_its_place_and_not_made(
    api: Api, change: dict[str, Any], field: str
) -> None:
    async with api.user.post(KEYS, json={"name": "ci", "role": "Read"} | change) as answer:
        problem = await answer.json(content_type=None)
    assert (answer.status, problem["field"]) == (422, field)
    async with api.user.get(KEYS) as answer:
        assert (await answer.json())["items"] == []


async def test_a_revoked_key_opens_nothing_after_two_seconds_at_any_replica(
    sidecar_store: Store,
) -> None:
    key, clock = rules.make(), Ticking()
    await kept(sidecar_store, key.text)
    elsewhere = Machines(sidecar_store, clock)
    assert await elsewhere.find(key.text) is not None
    await sidecar_store.transact(api_keys.revoke, key.id, "ada")
    clock.now += REMEMBER_SECONDS
    assert REMEMBER_SECONDS <= 2
    with pytest.raises(UnauthenticatedError) as refused:
        await elsewhere.find(key.text)
    assert refused.value.code == "key_revoked"


async def test_a_key_ends_at_its_time_even_while_it_is_remembered(
    sidecar_store: Store, database: Database
) -> None:
    key, clock = rules.make(), Ticking()
    await kept(sidecar_store, key.text, expires_at=datetime.now(UTC) + timedelta(seconds=1.5))
    machines = Machines(sidecar_store, clock)
    assert await machines.find(key.text) is not None
    # Its time passes, without anybody's waiting for it.
    connection = await asyncpg.connect(database.owner)
    await connection.execute("UPDATE api_keys SET expires_at = now()")
    await connection.close()
    clock.now += 1.6
    with pytest.raises(UnauthenticatedError) as refused:
        await machines.find(key.text)
    assert refused.value.code == "key_expired"


async def test_a_key_with_another_secret_is_none(sidecar_store: Store) -> None:
    key, other = rules.make(), rules.make()
    await kept(sidecar_store, key.text)
    machines = Machines(sidecar_store)
    forged = f"{rules.PREFIX}{key.id}_{other.text.split('_', 2)[2]}"
    for text in (forged, other.text, f"{rules.PREFIX}x", f"{key.text}x"):
        with pytest.raises(UnauthenticatedError) as refused:
            await machines.find(text)
        assert refused.value.code == "key_invalid"


async def test_a_revocation_is_for_good_and_its_repeat_is_harmless(api: Api) -> None:
    id_, _ = await api.made_key()
    for _ in range(2):
        async with api.user.post(f"{KEYS}/{id_}/revoke", json={"reason": "over"}) as answer:
            found = await answer.json()
        assert (found["state"], found["revokedBy"]) == ("Revoked", "local")
    async with api.user.post(f"{KEYS}/{'0' * 16}/revoke", json={"reason": "over"}) as answer:
        assert (answer.status, (await answer.json())["code"]) == (404, "key_unknown")
    async with api.user.get(KEYS) as answer:
        assert (await answer.json())["items"] == []
    async with api.user.get(f"{KEYS}?revoked=true") as answer:
        assert [each["id"] for each in (await answer.json())["items"]] == [id_]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE api_keys SET secret_hash = sha256('x')",
        "UPDATE api_keys SET role = 'Admin'",
        "UPDATE api_keys SET workspaces = NULL",
        "UPDATE api_keys SET expires_at = NULL",
        "DELETE FROM api_keys",
        "UPDATE api_keys SET revoked_at = NULL",
    ],
)
async def test_the_api_may_change_nothing_of_a_key_but_end_it(
    sidecar_store: Store, statement: str
) -> None:
    key = rules.make()
    await kept(sidecar_store, key.text)
    await sidecar_store.transact(api_keys.revoke, key.id, "ada")

    async def attempt(connection: Connection) -> None:
        await connection.execute(statement)

    with pytest.raises(CoxswainError, match=r"42501|refuses this value"):
        await sidecar_store.transact(attempt)
    assert (await sidecar_store.run(api_keys.get, key.id)).revoked_at is not None


async def test_no_more_keys_are_made_than_are_listed_until_one_is_revoked(
    api: Api, database: Database
) -> None:
    id_, _ = await api.made_key()
    connection = await asyncpg.connect(database.owner)
    await connection.execute(
        "INSERT INTO api_keys (id, name, secret_hash, role, made_by)"
        " SELECT lpad(n::text, 16, '0'), 'ci', sha256(n::text::bytea), 'Read', 'ada'"
        " FROM generate_series(1, $1) AS n",
        api_keys.MOST - 1,
    )
    await connection.close()
    new = {"name": "more", "role": "Read"}
    async with api.user.post(KEYS, json=new) as answer:
        assert (answer.status, (await answer.json())["code"]) == (409, "too_many_keys")
    await api.user.post(f"{KEYS}/{id_}/revoke", json={"reason": "over"})
    async with api.user.post(KEYS, json=new) as answer:
        assert answer.status == 201


async def test_keys_are_read_page_by_page_each_once(api: Api) -> None:
    made = [(await api.made_key("Read"))[0] for _ in range(5)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        async with api.user.get(KEYS, params={"limit": "2", **cursor}) as answer:
            page = await answer.json()
        seen += [each["id"] for each in page["items"]]
        if "next" not in page:
            break
        cursor = {"cursor": page["next"]}
    assert seen == list(reversed(made))


async def test_other_processes_cannot_read_keys(
    operator_store: Store, gateway_store: Store
) -> None:
    for store in (operator_store, gateway_store):
        with pytest.raises(CoxswainError, match="42501"):
            await store.run(api_keys.newest, Which(10))
