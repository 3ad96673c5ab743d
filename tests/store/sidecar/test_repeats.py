"""A request that is sent again has one effect: by its Idempotency-Key where it makes something without a name."""

from typing import Any

import asyncpg
import pytest

from coxswain.errors import UnavailableError
from tests.support.postgres import Database
from tests.support.sidecar_api import Api

KEY = {"Idempotency-Key": "order-17"}
W = "/v1/workspaces/team"
PATHS = "/apis/coxswain.dev/v1alpha1/namespaces/team"
WORK = {"agentRef": {"name": "reader"}, "title": "The first", "prompt": "What is it about?"}
Body = dict[str, Any]


def schedule(seconds: int = 60, **metadata: str) -> Body:
    spec = {"interval": {"seconds": seconds}, "jobTemplate": {"spec": WORK}}
    return {"metadata": metadata or {"generateName": "nightly-"}, "spec": spec}


def lease(ttl: int = 30, name: str = "deploy") -> Body:
    return {"metadata": {"name": name}, "spec": {"resource": f"git:{name}", "ttlSeconds": ttl}}


async def post(api: Api, path: str, body: Body, **headers: str) -> tuple[int, Body]:
    async with api.user.post(path, json=body, headers=headers or KEY) as answer:
        return answer.status, await answer.json(content_type=None)


def made(api: Api, plural: str) -> list[str]:
    return [path.rsplit("/", 1)[1] for path in api.cluster.objects if f"/{plural}/" in path]


@pytest.mark.parametrize(
    ("plural", "body", "another"),
    [
        ("schedules", schedule(), schedule(61)),
        ("schedules", schedule(name="eu"), schedule(name="us")),
        ("leases", lease(), lease(31, "other")),
    ],
)
async def test_the_same_again_gives_what_was_made_and_another_payload_is_a_conflict(
    api: Api, plural: str, body: Body, another: Body
) -> None:
    first, thing = await post(api, f"{W}/{plural}", body)
    again, same = await post(api, f"{W}/{plural}", body)
    assert (first, again, same["id"]) == (201, 200, thing["id"])
    status, said = await post(api, f"{W}/{plural}", another)
    assert (status, said["code"], said["field"]) == (
        409,
        "idempotency_key_reused",
        "header.Idempotency-Key",
    )
    assert f"'order-17' stands for {thing['kind']} '{thing['name']}'" in said["message"]
    assert len(made(api, plural)) == 1


@pytest.mark.parametrize(("plural", "body"), [("schedules", schedule()), ("leases", lease())])
async def test_a_lost_answer_of_the_api_server_is_completed_by_the_repeat(
    api: Api, plural: str, body: Body
) -> None:
    api.cluster.lost = UnavailableError("the answer was lost")
    assert (await post(api, f"{W}/{plural}", body))[0] == 503
    status, thing = await post(api, f"{W}/{plural}", body)
    assert (status, made(api, plural)) == (200, [thing["name"]])


async def test_a_name_that_somebody_else_took_is_a_conflict_and_leaves_the_key_free(
    api: Api,
) -> None:
    async with api.user.post(f"{W}/leases", json=lease()) as answer:
        assert answer.status == 201
    status, said = await post(api, f"{W}/leases", lease())
    assert (status, said["code"]) == (409, "already_exists")
    assert (await post(api, f"{W}/leases", lease(name="other")))[0] == 201


async def test_each_kind_has_keys_of_its_own(api: Api) -> None:
    assert (await post(api, f"{W}/schedules", schedule()))[0] == 201
    assert (await post(api, f"{W}/leases", lease()))[0] == 201
    job = {"metadata": {"generateName": "ask-"}, "spec": WORK}
    assert (await post(api, f"{W}/jobs", job))[0] == 201


async def test_without_a_key_each_is_another_schedule(api: Api) -> None:
    for _ in range(2):
        async with api.user.post(f"{W}/schedules", json=schedule()) as answer:
            assert answer.status == 201
    assert len(made(api, "schedules")) == 2


async def ended(api: Api, name: str) -> str:
    async with api.user.post(
        f"{W}/jobs", json={"metadata": {"name": name}, "spec": WORK}
    ) as answer:
        found = await answer.json()
    api.cluster.objects[f"{PATHS}/jobs/{name}"]["status"] = {"phase": "Failed", "attempt": 1}
    return str(found["id"])


async def test_a_rerun_under_a_key_is_one_job_and_of_another_job_a_conflict(api: Api) -> None:
    first = await ended(api, "first")
    await ended(api, "other")
    status, job = await post(api, f"{W}/jobs/first/rerun", {})
    assert (status, job["lineage"]["uid"]) == (201, first)
    assert (await post(api, f"{W}/jobs/first/rerun", {})) == (200, job)
    status, said = await post(api, f"{W}/jobs/other/rerun", {})
    assert (status, said["code"]) == (409, "idempotency_key_reused")
    assert len(made(api, "jobs")) == 3


async def test_a_trigger_under_a_key_is_asked_once_and_another_is_a_conflict(api: Api) -> None:
    await post(api, f"{W}/schedules", schedule(name="nightly"))
    path = f"{W}/schedules/nightly/trigger"
    status, asked = await post(api, path, {"reason": "now"})
    assert (status, asked["accepted"]) == (202, True)
    assert await post(api, path, {"reason": "again"}) == (
        202,
        {"id": asked["id"], "accepted": False},
    )
    status, said = await post(api, path, {"overlap": "Skip"})
    assert (status, said["code"]) == (409, "idempotency_key_reused")
    status, said = await post(api, path, {"id": asked["id"]})
    assert (status, said["field"]) == (422, "id")
    other = await post(api, path, {}, **{"Idempotency-Key": "order-18"})
    assert other[1]["accepted"] is True


async def test_an_id_stands_for_one_request_whatever_asks_it(api: Api) -> None:
    await post(api, f"{W}/schedules", schedule(name="nightly"))
    path = f"{W}/schedules/nightly"
    body = {"since": "2026-01-01T00:00:00Z", "until": "2026-01-01T00:05:00Z"}
    status, asked = await post(api, f"{path}/backfill", body)
    assert (status, asked["accepted"]) == (202, True)
    assert (await post(api, f"{path}/backfill", body))[1]["accepted"] is False
    async with api.user.post(f"{path}/trigger", json={"id": asked["id"]}) as answer:
        assert answer.status == 409


async def test_an_api_key_is_made_once_and_its_secret_is_shown_once(
    api: Api, database: Database
) -> None:
    wanted = {"name": "ci", "role": "Read"}
    status, key = await post(api, "/v1/keys", wanted)
    assert (status, key["secret"].startswith(f"cxk_{key['id']}_")) == (201, True)
    status, said = await post(api, "/v1/keys", wanted)
    assert (status, said["code"]) == (409, "key_made_already")
    assert key["id"] in said["message"]
    assert key["secret"] not in said["message"]
    connection = await asyncpg.connect(database.owner)
    assert await connection.fetchval("SELECT count(*) FROM api_keys") == 1
    await connection.close()
    async with api.anybody.get(
        "/v1/jobs", headers={"Authorization": f"Bearer {key['secret']}"}
    ) as answer:
        assert answer.status == 200


async def test_a_job_type_under_a_key_is_made_once_and_another_is_a_conflict(api: Api) -> None:
    spec = {"inputSchema": {"type": "object"}, "command": ["sum"]}
    wanted = {"name": "sum.numbers", "spec": spec}
    first, made_type = await post(api, f"{W}/job-types", wanted)
    again, same = await post(api, f"{W}/job-types", wanted)
    assert (first, again, same) == (201, 200, made_type)
    other = {"name": "sum.numbers", "spec": {**spec, "command": ["add"]}}
    assert (await post(api, f"{W}/job-types", other))[0] == 409
    async with api.user.post(f"{W}/job-types", json=wanted) as answer:
        assert answer.status == 409


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
async def test_a_key_of_another_form_is_refused(api: Api, key: str) -> None:
    for path, body in ((f"{W}/leases", lease()), ("/v1/keys", {"name": "ci", "role": "Read"})):
        status, said = await post(api, path, body, **{"Idempotency-Key": key})
        assert (status, said["field"]) == (422, "header.Idempotency-Key")
