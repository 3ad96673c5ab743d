"""A person's word on a Job in Review, over HTTP."""

import json
from typing import Any

import pytest

from coxswain import names
from tests.support.sidecar_api import Api

JOBS = "/v1/workspaces/team/jobs"
PATH = "/apis/coxswain.dev/v1alpha1/namespaces/team/jobs/first"
SPEC = {"agentRef": {"name": "reader"}, "title": "The first", "prompt": "What is it about?"}
REVIEW = f"{JOBS}/first/review"


async def in_review(api: Api, phase: str = "Review", attempt: int = 2) -> None:
    await api.user.post(JOBS, json={"metadata": {"name": "first"}, "spec": SPEC})
    api.cluster.objects[PATH]["status"] = {"phase": phase, "attempt": attempt}


async def decide(api: Api, headers: dict[str, str] | None = None, **body: Any) -> tuple[int, str]:
    given = {"reason": "seen", **body}
    async with api.user.post(REVIEW, json=given, headers=headers) as answer:
        found = await answer.json(content_type=None)
        return answer.status, found.get("code", "")


def written(api: Api) -> Any:
    annotations = api.cluster.objects[PATH]["metadata"].get("annotations", {})
    return json.loads(annotations[names.ANNOTATION_REVIEW])


@pytest.mark.parametrize("word", ["retry", "succeed", "fail", "cancel"])
async def test_a_decision_is_left_on_the_job_with_who_and_why(api: Api, word: str) -> None:
    await in_review(api)
    assert await decide(api, decision=word, reason="I looked") == (202, "")
    found = written(api)
    assert found.pop("at")
    assert found == {"attempt": 2, "decision": word, "by": "user:local", "why": "I looked"}


async def test_the_same_decision_again_is_harmless_and_another_one_is_refused(api: Api) -> None:
    await in_review(api)
    await decide(api, decision="retry")
    first = written(api)
    assert await decide(api, decision="retry", reason="again") == (202, "")
    assert await decide(api, decision="fail") == (409, "review_decided")
    assert written(api) == first


async def test_a_decision_about_another_attempt_is_refused(api: Api) -> None:
    await in_review(api)
    wanted = (409, "review_of_another_attempt")
    assert await decide(api, decision="retry", attempt=1) == wanted
    assert await decide(api, decision="retry", attempt=2) == (202, "")


async def test_a_decision_about_a_former_attempt_does_not_hold_up_the_next_one(api: Api) -> None:
    await in_review(api, attempt=1)
    await decide(api, decision="retry")
    api.cluster.objects[PATH]["status"] = {"phase": "Review", "attempt": 2}
    assert await decide(api, decision="fail") == (202, "")
    assert (written(api)["attempt"], written(api)["decision"]) == (2, "fail")


@pytest.mark.parametrize("phase", ["Queued", "Running", "Succeeded"])
async def test_only_a_job_in_review_is_decided_on(api: Api, phase: str) -> None:
    await in_review(api, phase)
    assert await decide(api, decision="succeed") == (409, "job_not_in_review")
    assert names.ANNOTATION_REVIEW not in api.cluster.objects[PATH]["metadata"]["annotations"]


async def test_a_decision_on_what_has_changed_is_412(api: Api) -> None:
    await in_review(api)
    stale = {"If-Match": '"1"'}
    assert await decide(api, stale, decision="retry") == (412, "precondition_failed")


async def test_a_wrong_decision_is_refused_with_its_place(api: Api) -> None:
    await in_review(api)
    assert (await decide(api, decision="perhaps"))[0] == 422
    assert (await decide(api))[0] == 422
    async with api.user.post(
        f"{JOBS}/none/review", json={"decision": "retry", "reason": "seen"}
    ) as answer:
        assert answer.status == 404
