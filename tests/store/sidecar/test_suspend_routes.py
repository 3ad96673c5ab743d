"""Holding a Job back and letting it go on, over HTTP."""

import json

import pytest

from coxswain import names
from tests.support.sidecar_api import Api

JOBS = "/v1/workspaces/team/jobs"
PATH = "/apis/coxswain.dev/v1alpha1/namespaces/team/jobs/first"
SPEC = {"agentRef": {"name": "reader"}, "title": "The first", "prompt": "What is it about?"}


async def made(api: Api, phase: str = "Queued", *, suspend: bool = False) -> None:
    spec = {**SPEC, "suspend": suspend} if suspend else SPEC
    await api.user.post(JOBS, json={"metadata": {"name": "first"}, "spec": spec})
    api.cluster.objects[PATH]["status"] = {"phase": phase}


async def asks(api: Api, what: str, tag: str | None = None, **body: str) -> tuple[int, str]:
    headers = {"If-Match": tag} if tag is not None else {}
    given = {"json": body} if body else {}
    async with api.user.post(f"{JOBS}/first/{what}", headers=headers, **given) as answer:  # type: ignore[arg-type]  # json or nothing
        return answer.status, (await answer.json(content_type=None)).get("code", "")


def request(api: Api) -> str | None:
    found: dict[str, str] = api.cluster.objects[PATH]["metadata"].get("annotations", {})
    return found.get(names.ANNOTATION_SUSPEND)


async def test_a_job_is_held_back_with_who_and_why_and_let_go_again(api: Api) -> None:
    await made(api)
    for reason in ("wait for the data", "again"):
        assert await asks(api, "suspend", reason=reason) == (202, "")
    told = json.loads(request(api) or "")
    assert (told["by"], told["why"]) == ("user:local", "wait for the data")
    for _ in range(2):
        assert await asks(api, "resume") == (202, "")
        assert request(api) is None
    assert api.cluster.objects[PATH]["spec"] == SPEC


async def test_what_the_spec_says_is_the_owners(api: Api) -> None:
    await made(api, suspend=True)
    assert await asks(api, "resume") == (409, "suspended_by_spec")


@pytest.mark.parametrize("what", ["suspend", "resume"])
async def test_an_ended_or_changed_job_is_left_alone(api: Api, what: str) -> None:
    await made(api)
    assert await asks(api, what, '"1"') == (412, "precondition_failed")
    api.cluster.objects[PATH]["status"] = {"phase": "Failed"}
    assert await asks(api, what) == (409, "job_finished")
    assert request(api) is None
