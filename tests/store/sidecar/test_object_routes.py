import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from coxswain.errors import ForbiddenError, NotFoundError, UserError
from tests.support.sidecar_api import Api, object_row

JOBS = "/v1/workspaces/team/jobs"
SPEC = {"agentRef": {"name": "reader"}, "title": "The first", "prompt": "What is it about?"}
NEW = {"metadata": {"name": "first"}, "spec": SPEC}
NOW = datetime.now(UTC)


async def problem(api: Api, method: str, path: str, **given: Any) -> tuple[int, str, str | None]:
    async with api.user.request(method, path, **given) as answer:
        body = await answer.json(content_type=None)
        return answer.status, body["code"], body.get("field")


async def test_a_job_is_made_as_kubectl_would_make_it(api: Api) -> None:
    async with api.user.post(JOBS, json=NEW) as answer:
        made = await answer.json()
    stored = api.cluster.objects["/apis/coxswain.dev/v1alpha1/namespaces/team/jobs/first"]
    assert answer.status == 201
    assert answer.headers["ETag"] == f'"{stored["metadata"]["resourceVersion"]}"'
    assert (made["id"], made["status"]) == (stored["metadata"]["uid"], "Queued")
    assert stored["spec"] == SPEC
    assert stored["kind"] == "Job"


async def test_a_name_may_be_left_to_the_cluster(api: Api) -> None:
    async with api.user.post(
        JOBS, json={"metadata": {"generateName": "ask-"}, "spec": SPEC}
    ) as answer:
        assert (await answer.json())["name"].startswith("ask-")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"spec": {**SPEC, "title": None}}, "spec.title"),
        ({"spec": {key: value for key, value in SPEC.items() if key != "title"}}, "spec.title"),
        ({"spec": {**SPEC, "colour": "red"}}, "spec.colour"),
        ({"spec": {**SPEC, "retry": {"maxAttempts": 0}}}, "spec.retry.maxAttempts"),
        ({"metadata": {"name": "Not_Good"}}, "metadata.name"),
        ({"metadata": {}}, "metadata"),
        ({"metadata": {"name": "a", "generateName": "b"}}, "metadata"),
        ({"metadata": {"name": "a", "annotations": {}}}, "metadata.annotations"),
        ({"status": {}}, "status"),
        ({"kind": "Agent"}, "kind"),
    ],
)
async def test_a_wrong_job_is_refused_with_its_place(
    api: Api, change: dict[str, Any], field: str
) -> None:
    assert await problem(api, "POST", JOBS, json=NEW | change) == (422, "invalid", field)
    assert api.cluster.objects == {}


async def test_refusals_of_the_api_server_keep_their_field(api: Api) -> None:
    api.cluster.refusal = UserError("no such thing", field="spec.files[0].path")
    assert await problem(api, "POST", JOBS, json=NEW) == (422, "invalid", "spec.files[0].path")
    api.cluster.refusal = ForbiddenError("rbac says no")
    assert (await problem(api, "POST", JOBS, json=NEW))[:2] == (403, "workspace_not_onboarded")
    api.cluster.refusal = NotFoundError("no namespace")
    assert (await problem(api, "POST", JOBS, json=NEW))[:2] == (404, "not_found")
    await api.user.post(JOBS, json=NEW)
    assert (await problem(api, "POST", JOBS, json=NEW))[:2] == (409, "already_exists")


async def test_a_job_is_read_before_and_after_the_mirror_has_it(api: Api) -> None:
    async with api.user.post(JOBS, json=NEW) as answer:
        made = await answer.json()
    async with api.user.get(f"{JOBS}/first") as answer:
        assert await answer.json() == made
    await api.mirrored("first", uid=made["id"], phase="Running", version=900, spec=SPEC)
    async with api.user.get(f"{JOBS}/first") as answer:
        assert (await answer.json())["status"] == "Running"
        assert answer.headers["ETag"] == '"900"'


async def test_reads_go_on_while_the_api_server_is_away(api: Api) -> None:
    await api.mirrored("first")
    api.cluster.away = True
    async with api.user.get(f"{JOBS}/first") as answer:
        assert answer.status == 200
    async with api.user.get("/v1/jobs") as answer:
        assert answer.status == 200
    assert (await problem(api, "GET", f"{JOBS}/second"))[:2] == (503, "unavailable")
    assert (await problem(api, "POST", JOBS, json=NEW))[:2] == (503, "unavailable")


async def test_a_job_that_is_not_there_is_404(api: Api) -> None:
    assert (await problem(api, "GET", f"{JOBS}/none"))[:2] == (404, "not_found")


async def test_what_has_not_changed_is_304(api: Api) -> None:
    await api.mirrored("first", version=7)
    for path in (f"{JOBS}/first", JOBS, "/v1/jobs"):
        async with api.user.get(path) as answer:
            tag = answer.headers["ETag"]
        async with api.user.get(path, headers={"If-None-Match": tag}) as answer:
            assert (answer.status, await answer.read()) == (304, b"")
        async with api.user.get(path, headers={"If-None-Match": '"other"'}) as answer:
            assert answer.status == 200


async def test_a_change_changes_the_tag_of_the_list(api: Api) -> None:
    row = await api.mirrored("first", version=7)
    async with api.user.get("/v1/jobs") as answer:
        before = answer.headers["ETag"]
    await api.mirrored("first", uid=row.uid, version=8, phase="Running")
    async with api.user.get("/v1/jobs", headers={"If-None-Match": before}) as answer:
        assert answer.status == 200


async def test_lists_go_page_by_page_and_filter(api: Api) -> None:
    for n in range(5):
        await api.mirrored(
            f"n{n}",
            created_at=NOW + timedelta(seconds=n),
            workspace="team" if n < 4 else "other",
            phase="Queued" if n % 2 else "Running",
            spec={
                "agentRef": {"name": "reader" if n else "writer"},
                "queue": "nightly" if n > 2 else "default",
            },
        )
    names: list[str] = []
    cursor = ""
    while True:
        async with api.user.get(f"/v1/jobs?limit=2{cursor}") as answer:
            page = await answer.json()
        names.extend(each["name"] for each in page["items"])
        if "next" not in page:
            break
        cursor = f"&cursor={page['next']}"
    assert names == ["n4", "n3", "n2", "n1", "n0"]

    async def listed(path: str) -> list[str]:
        async with api.user.get(path) as answer:
            return [each["name"] for each in (await answer.json())["items"]]

    assert await listed(JOBS) == ["n3", "n2", "n1", "n0"]
    assert await listed(f"{JOBS}?phase=Running&agent=reader") == ["n2"]
    assert await listed(f"{JOBS}?queue=nightly") == ["n3"]
    assert await listed("/v1/jobs?queue=nightly") == ["n4", "n3"]
    assert await listed("/v1/jobs?queue=unheard-of") == []
    assert (await problem(api, "GET", "/v1/jobs?queue=No+Name"))[0] == 422
    assert await listed("/v1/agents") == []


def written(at: str) -> str:
    """A cursor that names this instant."""
    return base64.urlsafe_b64encode(f"{at} {UUID(int=7)}".encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        *["x", "////", "e30", "MjAyNi0wMS0wMSBub3R1aWQ"],
        written("2026-01-01T00:00:00"),
        written("0001-01-01T00:00:00+14:00"),
        written("9999-12-31T23:59:59-14:00"),
    ],
)
async def test_a_cursor_that_is_not_ours_is_400(api: Api, cursor: str) -> None:
    assert (await problem(api, "GET", f"/v1/jobs?cursor={cursor}"))[0] == 400


async def test_a_cancel_is_a_request_on_the_object_and_stands_once(api: Api) -> None:
    await api.user.post(JOBS, json=NEW)
    for reason in ("wrong question", "again"):
        async with api.user.post(f"{JOBS}/first/cancel", json={"reason": reason}) as answer:
            assert answer.status == 202
    stored = api.cluster.objects["/apis/coxswain.dev/v1alpha1/namespaces/team/jobs/first"]
    request = json.loads(stored["metadata"]["annotations"]["coxswain.dev/cancel"])
    assert (request["by"], request["why"]) == ("user:local", "wrong question")
    assert "at" in request


async def test_a_cancel_needs_no_body(api: Api) -> None:
    await api.user.post(JOBS, json=NEW)
    async with api.user.post(f"{JOBS}/first/cancel") as answer:
        assert answer.status == 202


async def test_a_cancel_of_a_changed_job_is_412(api: Api) -> None:
    async with api.user.post(JOBS, json=NEW) as answer:
        tag = answer.headers["ETag"]
    path = f"{JOBS}/first/cancel"
    stale = {"If-Match": '"1"'}
    assert (await problem(api, "POST", path, headers=stale))[:2] == (412, "precondition_failed")
    async with api.user.post(path, headers={"If-Match": tag}) as answer:
        assert answer.status == 202


async def test_a_cancel_is_for_the_job_that_was_looked_at_and_for_no_later_one_of_its_name(
    api: Api,
) -> None:
    await api.user.post(JOBS, json=NEW)
    path = "/apis/coxswain.dev/v1alpha1/namespaces/team/jobs/first"
    api.cluster.replaced = path
    found = await problem(api, "POST", f"{JOBS}/first/cancel")
    assert found[:2] == (412, "precondition_failed")
    assert "coxswain.dev/cancel" not in api.cluster.objects[path]["metadata"]["annotations"]


async def test_a_cancel_that_comes_again_after_it_has_come_true_answers_what_stands(
    api: Api,
) -> None:
    await api.user.post(JOBS, json=NEW)
    await api.user.post(f"{JOBS}/first/cancel")
    stored = api.cluster.objects["/apis/coxswain.dev/v1alpha1/namespaces/team/jobs/first"]
    stored["status"] = {"phase": "Cancelled"}
    async with api.user.post(f"{JOBS}/first/cancel") as answer:
        assert (answer.status, (await answer.json())["status"]) == (202, "Cancelled")
    stored["status"] = {"phase": "Succeeded"}
    assert (await problem(api, "POST", f"{JOBS}/first/cancel"))[:2] == (409, "job_finished")


async def test_a_cancel_of_an_ended_or_unknown_job_says_so(api: Api) -> None:
    await api.user.post(JOBS, json=NEW)
    stored = api.cluster.objects["/apis/coxswain.dev/v1alpha1/namespaces/team/jobs/first"]
    stored["status"] = {"phase": "Succeeded"}
    assert (await problem(api, "POST", f"{JOBS}/first/cancel"))[:2] == (409, "job_finished")
    assert (await problem(api, "POST", f"{JOBS}/none/cancel"))[:2] == (404, "not_found")


async def test_agents_are_listed_and_read(api: Api) -> None:
    row = object_row("reader", kind="Agent", phase="Ready")
    await api.mirrored("reader", kind="Agent", phase="Ready", uid=row.uid)
    for path in ("/v1/agents", "/v1/workspaces/team/agents"):
        async with api.user.get(path) as answer:
            assert [each["name"] for each in (await answer.json())["items"]] == ["reader"]
    async with api.user.get("/v1/workspaces/team/agents/reader") as answer:
        found = await answer.json()
    assert (found["kind"], found["status"], found["id"]) == ("Agent", "Ready", row.uid)
    assert (await problem(api, "GET", "/v1/workspaces/team/agents/none"))[0] == 404


async def test_nothing_but_health_is_there_without_a_token(api: Api) -> None:
    async with api.user.get("/v1/openapi.json") as answer:
        document = await answer.json()
    paths = [
        (method, path.replace("{", "").replace("}", ""))
        for path, operations in document["paths"].items()
        for method in operations
    ]
    assert len(paths) > 15
    for method, path in [*paths, ("get", "/docs"), ("get", "/v1/openapi.json"), ("get", "/")]:
        for headers in ({}, {"Authorization": "Bearer no"}, {"Authorization": "Basic eDp5"}):
            async with api.anybody.request(method, path, headers=headers) as answer:
                assert answer.status == 401, (method, path)


async def test_the_health_port_tells_of_every_dependency(api: Api) -> None:
    async def checks() -> tuple[int, dict[str, str]]:
        async with api.user.get(f"{api.health_url}/readyz?verbose") as answer:
            found = (await answer.json())["checks"]
            return answer.status, {name: each["state"] for name, each in found.items()}

    async def are(**changed: str) -> None:
        names = ("postgres", "schema", "queue", "kubernetes", "token_keys", "people")
        wanted = 200, {**dict.fromkeys(names, "ok"), **changed}
        async with asyncio.timeout(20):
            while await checks() != wanted:  # noqa: ASYNC110 - it looks once a second
                await asyncio.sleep(0.05)

    await are()
    api.cluster.away = True
    await are(kubernetes="broken")
