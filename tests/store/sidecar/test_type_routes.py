"""Job types over HTTP: no table of a database is ever touched for one."""

import io
import json
from typing import Any

import pytest

from coxswain.rules import job_types
from tests.support.sidecar_api import Api

TYPES = "/v1/workspaces/team/job-types"
JOBS = "/v1/workspaces/team/jobs"
MAP = "/api/v1/namespaces/team/configmaps/coxswain-type-count"
SPEC: dict[str, Any] = {
    "inputSchema": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
    "command": ["seq", "{{n}}"],
}
NEW = {"name": "count", "spec": SPEC}


async def ask(
    api: Api, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any]:
    async with api.user.request(method, path, json=body, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


def job(name: str = "count", given: Any = None) -> dict[str, Any]:
    spec = {"agentRef": {"name": "reader"}, "title": "t", "type": name, "input": given}
    return {"metadata": {"generateName": "j-"}, "spec": spec}


async def test_the_built_in_types_are_there_and_what_reaches_outside_is_disabled(api: Api) -> None:
    _, found = await ask(api, "GET", TYPES)
    assert {each["name"]: each["spec"]["enabled"] for each in found["items"]} == {
        "ai.chat.generate": False,
        "command": True,
        "docs.format": True,
        "noop": True,
        "report.generate": True,
    }
    assert {each["origin"] for each in found["items"]} == {"BuiltIn"}


async def test_a_type_is_made_as_a_labelled_config_map_and_read_again(api: Api) -> None:
    status, made = await ask(api, "POST", TYPES, NEW)
    assert status == 201
    raw = api.cluster.objects[MAP]
    assert raw["metadata"]["labels"]["coxswain.dev/job-type"] == "true"
    assert job_types.of_map("count", raw) is not None
    assert await ask(api, "GET", f"{TYPES}/count") == (200, made)
    assert (await ask(api, "POST", TYPES, NEW))[1]["code"] == "already_exists"
    _, listed = await ask(api, "GET", TYPES)
    assert made in listed["items"]


async def test_a_type_is_disabled_and_given_other_defaults_and_another_handler(api: Api) -> None:
    await ask(api, "POST", TYPES, NEW)
    assert (await ask(api, "POST", JOBS, job(given={"n": 3})))[0] == 201
    change = {"enabled": False, "timeoutSeconds": 9, "retry": {"maxAttempts": 5}, "prompt": "{{n}}"}
    status, changed = await ask(api, "PATCH", f"{TYPES}/count", change)
    assert status == 200
    spec = changed["spec"]
    assert (spec["enabled"], spec["timeoutSeconds"], spec["prompt"]) == (False, 9, "{{n}}")
    assert spec["retry"]["maxAttempts"] == 5
    assert "command" not in spec
    assert spec["inputSchema"] == SPEC["inputSchema"]
    status, said = await ask(api, "POST", JOBS, job(given={"n": 3}))
    assert (status, said["code"], said["field"]) == (422, "job_type_disabled", "spec.type")


async def test_a_type_is_given_an_image_beside_its_command_and_a_prompt_in_place_of_both(
    api: Api,
) -> None:
    await ask(api, "POST", TYPES, NEW)
    status, changed = await ask(api, "PATCH", f"{TYPES}/count", {"image": "ghcr.io/team/count:1"})
    assert status == 200
    assert changed["spec"]["image"] == "ghcr.io/team/count:1"
    assert changed["spec"]["command"] == SPEC["command"]
    assert api.cluster.objects[MAP]["data"]["image"] == "ghcr.io/team/count:1"
    status, changed = await ask(api, "PATCH", f"{TYPES}/count", {"prompt": "{{n}}"})
    assert status == 200
    assert not {"command", "image"} & set(changed["spec"])
    status, changed = await ask(api, "PATCH", f"{TYPES}/count", {"image": "x:1"})
    assert (status, changed["spec"]["image"]) == (200, "x:1")
    assert "prompt" not in changed["spec"]


async def test_a_built_in_type_is_enabled_without_saying_what_it_is(api: Api) -> None:
    body = job("ai.chat.generate", {"prompt": "Hello"})
    assert (await ask(api, "POST", JOBS, body))[1]["code"] == "job_type_disabled"
    status, changed = await ask(api, "PATCH", f"{TYPES}/ai.chat.generate", {"enabled": True})
    assert (status, changed["origin"]) == (200, "Workspace")
    raw = api.cluster.objects["/api/v1/namespaces/team/configmaps/coxswain-type-ai.chat.generate"]
    assert raw["data"] == {"enabled": "true"}
    assert (await ask(api, "POST", JOBS, body))[0] == 201


async def test_a_stale_change_is_412(api: Api) -> None:
    await ask(api, "POST", TYPES, NEW)
    path = f"{TYPES}/count"
    stale = await ask(api, "PATCH", path, {"enabled": False}, **{"If-Match": '"1"'})
    assert (stale[0], stale[1]["code"]) == (412, "precondition_failed")
    tag = f'"{api.cluster.objects[MAP]["metadata"]["resourceVersion"]}"'
    assert (await ask(api, "PATCH", path, {"enabled": False}, **{"If-Match": tag}))[0] == 200
    assert (await ask(api, "PATCH", path, {"enabled": True}, **{"If-Match": "*"}))[0] == 200


WRONG = [
    ({"inputSchema": {"type": "strin"}}, "data.inputSchema"),
    ({"inputSchema": {"$ref": "http://127.0.0.1:9/"}}, "data.inputSchema/$ref"),
    ({"prompt": "too"}, "exactly one handler"),
    ({"command": ["sh", "-c", "echo {{n}}"]}, "stands alone"),
    ({"colour": "red"}, "spec.colour"),
    ({"image": "no tag"}, "an image has a tag or a digest"),
]


@pytest.mark.parametrize(("change", "why"), WRONG, ids=[why for _, why in WRONG])
async def test_a_wrong_type_is_refused_and_nothing_is_made(
    api: Api, change: dict[str, Any], why: str
) -> None:
    status, said = await ask(api, "POST", TYPES, {"name": "count", "spec": {**SPEC, **change}})
    assert status == 422
    assert why in said["message"]
    assert api.cluster.objects == {}


async def test_a_wrong_change_is_refused_and_nothing_is_changed(api: Api) -> None:
    await ask(api, "POST", TYPES, NEW)
    before = api.cluster.objects[MAP]
    for change in ({"inputSchema": {"type": "strin"}}, {"command": ["{{m}}"]}, {}):
        assert (await ask(api, "PATCH", f"{TYPES}/count", change))[0] == 422
    assert api.cluster.objects[MAP] == before
    assert (await ask(api, "PATCH", f"{TYPES}/none", {"enabled": True}))[0] == 404
    assert (await ask(api, "GET", f"{TYPES}/none"))[1]["code"] == "job_type_unknown"


REFUSED = [
    (job("none", {}), "spec.type", "there is no job type 'none' in workspace 'team'"),
    (job(given={"n": "x"}), "spec.input", 'spec.input/n: "x" is not of type "integer"'),
    (job(given={"n": [[[[1]]]]}), "spec.input", "is not of type"),
    (job(given="[1]"), "spec.input", "not a JSON object"),
    (job(given='{"a":' + "[" * 5000 + "]" * 5000 + "}"), "spec.input", "nested deeper than 32"),
    (job(given="x" * 70_000), "spec.input", "at most 65536"),
]


@pytest.mark.parametrize(("body", "field", "why"), REFUSED, ids=[why for *_, why in REFUSED])
async def test_a_job_that_its_type_refuses_is_not_made(
    api: Api, body: dict[str, Any], field: str, why: str
) -> None:
    await ask(api, "POST", TYPES, NEW)
    status, said = await ask(api, "POST", JOBS, body)
    assert (status, said["field"]) == (422, field)
    assert why in said["message"]
    assert [path for path in api.cluster.objects if "/jobs/" in path] == []


async def test_an_input_of_a_mebibyte_is_refused(api: Api) -> None:
    body = io.BytesIO(json.dumps(job("noop", {"a": "x" * 1_048_576})).encode())
    headers = {"Content-Type": "application/json"}
    async with api.user.post(JOBS, data=body, headers=headers) as answer:
        said = await answer.json(content_type=None)
    assert (answer.status, said["code"]) == (413, "too_large")
    assert api.cluster.objects == {}


async def test_a_refused_job_leaves_its_key_free_and_a_repeat_is_not_refused(api: Api) -> None:
    await ask(api, "POST", TYPES, NEW)
    key = {"Idempotency-Key": "k"}
    assert (await ask(api, "POST", JOBS, job(given={"n": "x"}), **key))[0] == 422
    assert (await ask(api, "POST", JOBS, job(given={"n": 3}), **key))[0] == 201
    await ask(api, "PATCH", f"{TYPES}/count", {"enabled": False})
    assert (await ask(api, "POST", JOBS, job(given={"n": 3}), **key))[0] == 200
