"""Agreement of people over HTTP. There is one person now, whose name is local."""

from typing import Any

import pytest

from tests.support.sidecar_api import Api

JOBS = "/v1/workspaces/team/jobs"
PATH = "/apis/coxswain.dev/v1alpha1/namespaces/team/jobs/first"
SPEC = {"agentRef": {"name": "reader"}, "title": "The first", "prompt": "What is it about?"}


async def asked(api: Api, **rule: Any) -> dict[str, Any]:
    """A Job that needs the word of local and ada."""
    wanted = {"approvers": ["local", "ada"], "required": 2, **rule}
    new = {"metadata": {"name": "first"}, "spec": {**SPEC, "approval": wanted}}
    async with api.user.post(JOBS, json=new) as answer:
        assert answer.status == 201
    return await shown(api)


async def shown(api: Api) -> dict[str, Any]:
    async with api.user.get(f"{JOBS}/first/approval") as answer:
        found: dict[str, Any] = await answer.json(content_type=None)
        return found


async def say(api: Api, word: str, hash: str, **body: Any) -> tuple[int, dict[str, Any]]:  # noqa: A002 - the wire's name
    path = f"{JOBS}/first/{word}"
    async with api.user.post(path, json={"hash": hash, **body}) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_what_is_asked_for_is_shown_whole(api: Api) -> None:
    found = await asked(api)
    assert (found["state"], found["required"], found["requester"]) == (
        "ApprovalPending",
        2,
        "local",
    )
    assert found["approvers"] == ["local", "ada"]
    assert found["spec"]["prompt"] == SPEC["prompt"]
    assert (len(found["hash"]), found["given"]) == (64, [])


@pytest.mark.parametrize(("word", "approved"), [("approve", True), ("deny", False)])
async def test_a_word_is_kept_and_the_same_again_is_harmless(
    api: Api, word: str, approved: bool
) -> None:
    seen = await asked(api)
    for reason in ("I looked", "again"):
        status, found = await say(api, word, seen["hash"], reason=reason)
        assert status == 200
    (given,) = found["given"]
    assert (given["approver"], given["approved"], given["reason"]) == (
        "local",
        approved,
        "I looked",
    )
    assert found["state"] == ("ApprovalPending" if approved else "ApprovalDenied")
    other = "deny" if approved else "approve"
    status, found = await say(api, other, seen["hash"])
    assert (status, found["code"]) == (409, "approval_decided")


async def test_enough_words_approve(api: Api) -> None:
    seen = await asked(api, required=1)
    _, found = await say(api, "approve", seen["hash"])
    assert (found["state"], found["message"]) == ("Approved", "approved by local")


async def test_a_word_about_something_else_is_refused(api: Api) -> None:
    seen = await asked(api)
    stored = api.cluster.objects[PATH]
    stored["spec"] = {**stored["spec"], "prompt": "Delete everything"}
    status, found = await say(api, "approve", seen["hash"])
    assert (status, found["code"]) == (409, "approval_changed")
    assert (await shown(api))["given"] == []


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"approvers": ["ada", "bob"]}, "not_an_approver"),
        ({"approvers": ["local", "ada", "bob"], "excludeRequester": True}, "not_an_approver"),
    ],
)
async def test_only_people_with_a_say_are_heard(api: Api, rule: dict[str, Any], code: str) -> None:
    seen = await asked(api, **rule)
    status, found = await say(api, "approve", seen["hash"])
    assert (status, found["code"]) == (403, code)


async def test_once_the_job_has_begun_or_ended_nobody_is_asked(api: Api) -> None:
    seen = await asked(api)
    for status in ({"phase": "Queued", "attempts": [{}]}, {"phase": "Cancelled"}):
        api.cluster.objects[PATH]["status"] = status
        code, found = await say(api, "approve", seen["hash"])
        assert (code, found["code"]) == (409, "approval_over")


async def test_after_its_time_nobody_is_asked(api: Api) -> None:
    await asked(api)
    api.cluster.objects[PATH]["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    late = await shown(api)
    status, found = await say(api, "approve", late["hash"])
    assert (late["state"], status, found["code"]) == ("ApprovalTimeout", 409, "approval_over")


async def test_a_job_that_asks_nobody_says_so(api: Api) -> None:
    await api.user.post(JOBS, json={"metadata": {"name": "first"}, "spec": SPEC})
    assert (await shown(api))["code"] == "approval_not_asked"
    assert (await say(api, "approve", "x"))[0] == 422


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"approvers": []}, "spec.approval.approvers"),
        ({"approvers": ["ada"], "required": 2}, "spec.approval"),
        ({"approvers": ["ada", "ada"]}, "spec.approval"),
        ({"approvers": ["a b"]}, "spec.approval.approvers.0"),
    ],
)
async def test_agreement_by_nobody_is_refused_with_its_place(
    api: Api, rule: dict[str, Any], field: str
) -> None:
    new = {"metadata": {"name": "first"}, "spec": {**SPEC, "approval": rule}}
    async with api.user.post(JOBS, json=new) as answer:
        found = await answer.json()
    assert (answer.status, found["field"]) == (422, field)


async def test_those_that_wait_are_listed_and_no_others(api: Api) -> None:
    rule = {"approvers": ["local"], "timeoutSeconds": 3600}
    await api.mirrored("waits", spec={**SPEC, "approval": rule})
    await api.mirrored("runs", phase="Running", spec={**SPEC, "approval": rule})
    await api.mirrored("asks-nobody", spec=SPEC)
    await api.mirrored("unfit", spec={**SPEC, "approval": {"approvers": 3}})
    async with api.user.get("/v1/approvals") as answer:
        found = await answer.json()
    assert [each["name"] for each in found["items"]] == ["waits"]
