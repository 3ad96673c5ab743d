"""The same work once more, and Jobs that are made on account of others, over HTTP."""

import json
from typing import Any

import pytest

from coxswain import names
from coxswain.store import mirror
from tests.support.sidecar_api import Api

JOBS = "/v1/workspaces/team/jobs"
PATHS = "/apis/coxswain.dev/v1alpha1/namespaces/team/jobs"
SPEC = {"agentRef": {"name": "reader"}, "title": "The first", "prompt": "What is it about?"}
LEFT: dict[str, Any] = {
    "cancel": True,
    "dependsOn": [{"name": "other"}],
    "retry": {"maxAttempts": 2},
}


async def made(api: Api, name: str = "first", phase: str = "Failed", **spec: Any) -> str:
    async with api.user.post(
        JOBS, json={"metadata": {"name": name, "labels": {"app": "x"}}, "spec": SPEC | spec}
    ) as answer:
        found = await answer.json()
    api.cluster.objects[f"{PATHS}/{name}"]["status"] = {"phase": phase, "attempt": 1}
    return str(found["id"])


async def rerun(api: Api, job: str = "first", **body: Any) -> tuple[int, dict[str, Any]]:
    async with api.user.post(f"{JOBS}/{job}/rerun", json=body) as answer:
        return answer.status, await answer.json(content_type=None)


def stored(api: Api, name: str) -> Any:
    return api.cluster.objects[f"{PATHS}/{name}"]


async def test_a_rerun_is_a_new_job_with_the_same_work_that_names_its_origin(api: Api) -> None:
    uid = await made(api, **LEFT)
    status, found = await rerun(api, name="second")
    assert (status, found["status"], found["name"]) == (201, "Queued", "second")
    body = stored(api, "second")
    assert body["spec"] == SPEC | {"retry": {"maxAttempts": 2}}
    assert "labels" not in body["metadata"]
    wanted = {"relation": "Rerun", "job": "first", "uid": uid, "depth": 1, "by": "user:local"}
    assert json.loads(body["metadata"]["annotations"][names.ANNOTATION_LINEAGE]) == wanted
    assert found["lineage"] == wanted


async def test_a_rerun_of_a_rerun_is_one_deeper_and_may_go_without_a_name(api: Api) -> None:
    await made(api)
    _, second = await rerun(api)
    assert second["name"].startswith("first-")
    stored(api, second["name"])["status"] = {"phase": "Succeeded"}
    _, third = await rerun(api, second["name"])
    assert (third["lineage"]["depth"], third["lineage"]["uid"]) == (2, second["id"])


@pytest.mark.parametrize("phase", ["Queued", "Running", "Review"])
async def test_what_has_not_ended_is_not_run_again(api: Api, phase: str) -> None:
    await made(api, phase=phase)
    status, found = await rerun(api, name="second")
    assert (status, found["code"]) == (409, "job_not_finished")
    assert f"{PATHS}/second" not in api.cluster.objects


async def test_a_job_that_is_gone_is_run_again_from_its_record(api: Api) -> None:
    row = await api.mirrored("first", phase="Succeeded", spec=SPEC)
    await api.operator.transact(mirror.mark_deleted, [row.uid], [])
    status, found = await rerun(api, name="second")
    assert (status, found["lineage"]["uid"]) == (201, row.uid)
    assert stored(api, "second")["spec"] == SPEC


async def test_a_rerun_of_nothing_or_under_a_taken_name_says_so(api: Api) -> None:
    assert (await rerun(api, "none"))[0] == 404
    await made(api)
    status, found = await rerun(api, name="first")
    assert (status, found["code"]) == (409, "already_exists")


async def test_a_job_made_on_account_of_another_one_names_it(api: Api) -> None:
    uid = await made(api, phase="Running")
    new = {"metadata": {"name": "child"}, "spec": SPEC, "parent": "first"}
    async with api.user.post(JOBS, json=new) as answer:
        found = await answer.json()
    assert (answer.status, found["lineage"]["relation"]) == (201, "Child")
    assert (found["lineage"]["uid"], found["lineage"]["depth"]) == (uid, 1)
    async with api.user.post(JOBS, json={**new, "parent": "none"}) as answer:
        assert answer.status == 404
