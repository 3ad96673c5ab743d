"""The same key and the same spec make one Job, over crashes, races, ends and repeats."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from coxswain.errors import UnavailableError, UserError
from coxswain.store import idempotency
from coxswain.store.idempotency import KeyHolder
from coxswain.store.pool import Store
from tests.support import sidecar_api
from tests.support.postgres import Database
from tests.support.sidecar_api import Api

JOBS = "/v1/workspaces/team/jobs"
SPEC = {"agentRef": {"name": "reader"}, "title": "The first", "prompt": "What is it about?"}
NEW = {"metadata": {"generateName": "ask-"}, "spec": SPEC}
KEY = {"Idempotency-Key": "order-17"}
WEEK = 604_800


async def post(api: Api, body: Any = NEW, **headers: str) -> tuple[int, dict[str, Any]]:
    async with api.user.post(JOBS, json=body, headers=headers or KEY) as answer:
        return answer.status, await answer.json(content_type=None)


def made(api: Api) -> list[str]:
    return [path.rsplit("/", 1)[1] for path in api.cluster.objects if "/jobs/" in path]


async def test_the_same_again_gives_the_same_job(api: Api) -> None:
    first, job = await post(api)
    again, same = await post(api)
    assert (first, again) == (201, 200)
    assert same["id"] == job["id"]
    assert job["spec"]["idempotencyKey"] == "order-17"
    assert len(made(api)) == 1


async def test_header_and_spec_are_one_door(api: Api) -> None:
    await post(api)
    keyed = {**NEW, "spec": {**SPEC, "idempotencyKey": "order-17"}}
    async with api.user.post(JOBS, json=keyed) as answer:
        assert answer.status == 200
    status, said = await post(api, keyed, **{"Idempotency-Key": "order-18"})
    assert (status, said["field"]) == (422, "spec.idempotencyKey")


async def test_defaults_said_or_left_out_are_the_same_payload(api: Api) -> None:
    await post(api)
    spelled = {**SPEC, "retry": {"maxAttempts": 1}, "files": [], "cancel": False}
    assert (await post(api, {**NEW, "spec": spelled}))[0] == 200


async def test_another_payload_is_a_conflict_that_names_the_job(api: Api) -> None:
    _, job = await post(api)
    for change in ({"title": "Another"}, {"timeoutSeconds": 5}, {"agentRef": {"name": "other"}}):
        status, said = await post(api, {**NEW, "spec": {**SPEC, **change}})
        assert (status, said["code"]) == (409, "idempotency_key_reused")
        assert f"'order-17' stands for Job '{job['name']}'" in said["message"]
        assert said["field"] == "spec.idempotencyKey"
    assert len(made(api)) == 1


async def test_a_key_of_one_workspace_says_nothing_in_another(api: Api) -> None:
    await post(api)
    async with api.user.post("/v1/workspaces/other/jobs", json=NEW, headers=KEY) as answer:
        assert answer.status == 201


async def test_fifty_racing_clients_get_one_job(api: Api) -> None:
    found = await asyncio.gather(*(post(api) for _ in range(50)))
    assert sorted(status for status, _ in found) == [200] * 49 + [201]
    assert len({job["id"] for _, job in found}) == 1
    assert len(made(api)) == 1


async def test_a_lost_answer_of_the_api_server_is_completed_by_the_next_request(api: Api) -> None:
    api.cluster.lost = UnavailableError("the answer was lost")
    assert (await post(api))[0] == 503
    status, job = await post(api)
    assert (status, made(api)) == (200, [job["name"]])


async def test_a_crash_between_row_and_object_is_completed_by_the_next_request(api: Api) -> None:
    api.cluster.refusal = UnavailableError("the API server is away")
    assert (await post(api))[0] == 503
    assert made(api) == []
    status, job = await post(api)
    assert (status, made(api)) == (201, [job["name"]])
    assert (await post(api))[1]["id"] == job["id"]


async def test_what_the_api_server_refuses_leaves_the_key_free(api: Api) -> None:
    api.cluster.refusal = UserError("no", field="spec.files[0].path")
    assert (await post(api))[0] == 422
    assert (await post(api, {**NEW, "spec": {**SPEC, "title": "Mended"}}))[0] == 201


async def test_a_name_that_is_taken_by_another_job_leaves_the_key_free(api: Api) -> None:
    named = {"metadata": {"name": "mine"}, "spec": SPEC}
    async with api.user.post(JOBS, json=named) as answer:
        assert answer.status == 201
    status, said = await post(api, named)
    assert (status, said["code"]) == (409, "already_exists")
    assert (await post(api))[0] == 201


async def test_a_key_stands_for_its_job_also_after_the_job_is_gone(api: Api) -> None:
    _, job = await post(api)
    await api.mirrored(job["name"], uid=job["id"], phase="Succeeded", spec=job["spec"])
    api.cluster.objects.clear()
    status, same = await post(api)
    assert (status, same["id"], same["status"]) == (200, job["id"], "Succeeded")
    assert made(api) == []


async def test_a_job_that_went_unrecorded_is_not_made_twice(api: Api) -> None:
    await post(api)
    api.cluster.objects.clear()
    status, said = await post(api)
    assert (status, said["code"]) == (409, "idempotency_job_gone")
    assert made(api) == []


@pytest.mark.parametrize("key", ["", "a b", "ä", "x" * 256])
async def test_a_key_that_is_none_is_refused(api: Api, key: str) -> None:
    keyed = {**NEW, "spec": {**SPEC, "idempotencyKey": key}}
    async with api.user.post(JOBS, json=keyed) as answer:
        said = await answer.json(content_type=None)
    assert (answer.status, said["field"]) == (422, "spec.idempotencyKey")
    if key and key.isascii():
        status, said = await post(api, **{"Idempotency-Key": key})
        assert (status, said["field"]) == (422, "header.Idempotency-Key")


async def _age(database: Database, seconds: int) -> None:
    connection = await asyncpg.connect(database.admin)
    await connection.execute(
        "UPDATE idempotency_keys SET expires_at = expires_at - make_interval(secs => $1)",
        float(seconds),
    )
    await connection.close()


async def test_a_key_ends_by_the_clock_of_the_database(api: Api, database: Database) -> None:
    _, job = await post(api)
    await _age(database, WEEK - 60)
    assert (await post(api))[0] == 200
    await _age(database, 120)
    api.cluster.objects.clear()
    status, other = await post(api)
    assert status == 201
    assert other["id"] != job["id"]


async def test_a_key_that_ended_does_not_take_the_living_job_for_another_payload(
    api: Api, database: Database
) -> None:
    await post(api)
    await _age(database, WEEK + 60)
    status, said = await post(api, {**NEW, "spec": {**SPEC, "title": "Another"}})
    assert (status, said["code"]) == (409, "idempotency_key_reused")
    assert (await post(api))[0] == 200


async def test_the_process_itself_drops_keys_that_have_ended(
    api: Api, database: Database, tmp_path: Path
) -> None:
    await post(api)
    await post(api, **{"Idempotency-Key": "second"})
    await _age(database, WEEK + 60)
    await post(api, {**NEW, "spec": {**SPEC, "title": "Third"}}, **{"Idempotency-Key": "third"})
    connection = await asyncpg.connect(database.admin)
    async with sidecar_api.running(database, api.operator, tmp_path), asyncio.timeout(10):
        while await _keys(connection) != ["third"]:  # noqa: ASYNC110 - another task deletes them
            await asyncio.sleep(0.02)
    await connection.close()


async def _keys(connection: "asyncpg.Connection[asyncpg.Record]") -> list[str]:
    rows = await connection.fetch("SELECT key FROM idempotency_keys ORDER BY key")
    return [row["key"] for row in rows]


async def test_the_operators_word_makes_a_waiting_row_the_objects_own(api: Api) -> None:
    uid = "5d0c2a37-1111-4222-8333-444455556666"
    row = KeyHolder("team", "k", "hash-of-the-request", "named")
    await api.operator.transact(idempotency.take, row, WEEK)
    live = KeyHolder("team", "k", "hash-of-the-object", "named", uid)
    assert await api.operator.transact(idempotency.register, live, WEEK) == live
    late = KeyHolder("team", "k", "hash-of-the-object", "second", uid.replace("5", "6"))
    assert await api.operator.transact(idempotency.register, late, WEEK) == live


async def test_whoever_was_refused_takes_no_key_away_that_stands_for_a_job_by_now(
    sidecar_store: Store,
) -> None:
    holder = KeyHolder("team", "order-17", "hash", "ask-1")
    await sidecar_store.transact(idempotency.take, holder, WEEK)
    uid = "aa92472f-e497-4df0-ba46-a16e991b3c52"
    await sidecar_store.run(idempotency.settle, holder, uid)
    await sidecar_store.run(idempotency.release, holder)
    standing = await sidecar_store.run(idempotency.of, "team", "order-17")
    assert standing is not None
    assert standing.job_uid == uid
