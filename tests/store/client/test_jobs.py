"""Jobs through the client, against the real API."""

import pytest

from coxswain import names
from coxswain.api.job import JobSpec
from coxswain.client import AsyncClient, errors
from tests.support.sidecar_api import Api
from tests.support.wire import Wire

SPEC = {"agentRef": {"name": "reader"}, "title": "The first", "prompt": "What is it about?"}
PATH = "/apis/coxswain.dev/v1alpha1/namespaces/team/jobs"


def made(api: Api) -> list[str]:
    return [path for path in api.cluster.objects if path.startswith(f"{PATH}/")]


async def test_a_job_whose_answers_were_lost_is_made_once(
    api: Api, client: AsyncClient, wire: Wire
) -> None:
    wire.cut_after(0, 0, 20)
    found = await client.jobs.create("team", SPEC, generate_name="ask-")
    assert wire.cuts == 3
    assert [api.cluster.objects[each]["metadata"]["uid"] for each in made(api)] == [found.id]


async def test_a_type_and_what_yaml_holds_are_the_same_spec(api: Api, client: AsyncClient) -> None:
    await client.jobs.create("team", SPEC, name="one", labels={"a": "b"}, key="k-1")
    spec = JobSpec.model_validate(SPEC)
    await client.jobs.create("team", spec, name="two", key="k-2")
    one, two = (api.cluster.objects[f"{PATH}/{name}"] for name in ("one", "two"))
    assert one["metadata"]["labels"] == {"a": "b"}
    assert {**one["spec"], "idempotencyKey": ""} == {**two["spec"], "idempotencyKey": ""}


async def test_a_wrong_spec_is_refused_with_its_place(client: AsyncClient) -> None:
    with pytest.raises(errors.InvalidError) as caught:
        await client.jobs.create("team", {**SPEC, "priority": "high"}, name="first")
    assert caught.value.field == "spec.priority"
    assert caught.value.request_id


async def test_the_same_key_with_another_spec_is_a_conflict(client: AsyncClient) -> None:
    await client.jobs.create("team", SPEC, name="first", key="order-17")
    with pytest.raises(errors.ConflictError) as caught:
        await client.jobs.create("team", {**SPEC, "title": "x"}, name="first", key="order-17")
    assert caught.value.code == "idempotency_key_reused"


async def test_jobs_are_listed_over_pages_everywhere_and_in_one_workspace(
    api: Api, client: AsyncClient
) -> None:
    for number in range(5):
        await api.mirrored(f"job-{number}")
    await api.mirrored("other", workspace="other")
    assert len([each async for each in client.jobs.list(page=2)]) == 6
    assert {each.workspace async for each in client.jobs.list("team", page=2)} == {"team"}
    assert [each.name async for each in client.jobs.list(phase="Failed")] == []


async def test_a_job_is_cancelled_held_and_let_go_as_it_was_seen(
    api: Api, client: AsyncClient
) -> None:
    seen = await client.jobs.create("team", SPEC, name="first")
    held = await client.jobs.suspend("team", "first", reason="lunch", version=seen.version)
    with pytest.raises(errors.ChangedError):
        await client.jobs.cancel("team", "first", version=seen.version)
    await client.jobs.resume("team", "first", version=held.version)
    await client.jobs.cancel("team", "first", reason="not needed")
    annotations = api.cluster.objects[f"{PATH}/first"]["metadata"]["annotations"]
    assert names.ANNOTATION_CANCEL in annotations


async def test_what_a_job_left_is_read_and_it_is_run_again(api: Api, client: AsyncClient) -> None:
    new, _, headers = await api.claimed()
    await api.mirrored("first", uid=new.key.job_uid, phase="Succeeded", spec=SPEC)
    path, body = "/v1/run/artifacts/page.html", b"<html>"
    html = {**headers, "Content-Type": "text/html"}
    async with api.anybody.put(path, data=body, headers=html) as kept:
        assert kept.status < 300
    said = {"status": "succeeded", "answer": "six"}
    async with api.anybody.post("/v1/run/result", json=said, headers=headers) as posted:
        assert posted.status == 204
    assert (await client.jobs.result("team", "first")).answer == "six"
    assert await client.jobs.artifact("team", "first", "page.html") == b"<html>"
    assert await client.jobs.log("team", "first") == ""
    again = await client.jobs.rerun("team", "first", as_="second")
    assert again.lineage is not None
    assert again.lineage.job == "first"


async def test_what_is_not_there_is_not_found(client: AsyncClient) -> None:
    with pytest.raises(errors.NotFoundError):
        await client.jobs.get("team", "nothing")
