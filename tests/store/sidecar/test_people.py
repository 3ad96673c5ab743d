"""People who have signed in, at the API: what is theirs, what is others', and whose word counts."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio

from coxswain.store.pool import Store
from tests.support import sidecar_api
from tests.support.issuer import Issuer
from tests.support.postgres import Database
from tests.support.sidecar_api import Api

JOBS = "/v1/workspaces/team/jobs"
SPEC = {"agentRef": {"name": "reader"}, "title": "The first", "prompt": "What is it about?"}
GROUPS: dict[str, dict[str, Any]] = {
    "ops": {"role": "Admin"},
    "team": {"role": "Member", "workspaces": ["team"]},
    "guests": {"role": "Read", "workspaces": ["team"]},
}


@pytest_asyncio.fixture
async def issuer(pki: Path) -> AsyncIterator[Issuer]:
    async with Issuer(pki).serving() as serving:
        yield serving


@pytest_asyncio.fixture
async def api(
    issuer: Issuer, database: Database, operator_store: Store, tmp_path: Path
) -> AsyncIterator[Api]:
    settings = issuer.settings(**GROUPS)
    async with sidecar_api.running(
        database, operator_store, tmp_path, again_seconds=0.2, **settings
    ) as started:
        yield started


async def ask(
    api: Api, method: str, path: str, headers: dict[str, str], **given: Any
) -> tuple[int, dict[str, Any]]:
    async with api.anybody.request(method, path, headers=headers, **given) as answer:
        return answer.status, await answer.json(content_type=None)


async def make(api: Api, headers: dict[str, str], **spec: Any) -> None:
    new = {"metadata": {"name": "first"}, "spec": {**SPEC, **spec}}
    status, found = await ask(api, "POST", JOBS, headers, json=new)
    assert status == 201, found


async def test_a_member_acts_on_their_own_and_an_admin_on_all(api: Api, issuer: Issuer) -> None:
    ada, bob = issuer.headers("ada", "team"), issuer.headers("bob", "team")
    eve = issuer.headers("eve", "ops")
    await make(api, ada)
    status, found = await ask(api, "POST", f"{JOBS}/first/cancel", bob)
    assert (status, found["code"]) == (403, "not_the_owner")
    assert "ada made it" in found["message"]
    for headers in (ada, eve):
        assert (await ask(api, "POST", f"{JOBS}/first/cancel", headers))[0] == 202


async def test_what_kubectl_made_is_nobodys_own_here(api: Api, issuer: Issuer) -> None:
    await make(api, issuer.headers("ada", "ops"))
    path = "/apis/coxswain.dev/v1alpha1/namespaces/team/jobs/first"
    del api.cluster.objects[path]["metadata"]["annotations"]
    status, found = await ask(api, "POST", f"{JOBS}/first/cancel", issuer.headers("ada", "team"))
    assert (status, found["code"]) == (403, "not_the_owner")
    assert "kubectl" in found["message"]


async def test_who_has_the_longest_name_makes_reviews_and_runs_again(
    api: Api, issuer: Issuer
) -> None:
    headers = issuer.headers("a" * 128, "team")
    await make(api, headers)
    child = {"metadata": {"name": "second"}, "spec": SPEC, "parent": "first"}
    status, found = await ask(api, "POST", JOBS, headers, json=child)
    assert (status, found["lineage"]["by"]) == (201, f"user:{'a' * 128}")
    stored = api.cluster.objects["/apis/coxswain.dev/v1alpha1/namespaces/team/jobs/first"]
    stored["status"] = {"phase": "Review", "attempt": 1}
    decision = {"decision": "fail", "reason": "seen"}
    assert (await ask(api, "POST", f"{JOBS}/first/review", headers, json=decision))[0] == 202
    stored = api.cluster.objects["/apis/coxswain.dev/v1alpha1/namespaces/team/jobs/first"]
    stored["status"] = {"phase": "Failed", "attempt": 1}
    status, found = await ask(api, "POST", f"{JOBS}/first/rerun", headers, json={})
    assert (status, found["lineage"]["by"]) == (201, f"user:{'a' * 128}")


async def test_who_is_of_no_group_is_known_and_may_nothing(api: Api, issuer: Issuer) -> None:
    headers = issuer.headers("ada", "unheard-of")
    for path in ("/v1/jobs", JOBS, "/v1/keys"):
        status, found = await ask(api, "GET", path, headers)
        assert (status, found["code"]) == (403, "not_permitted")


async def test_a_role_counts_in_its_workspaces_alone(api: Api, issuer: Issuer) -> None:
    await api.mirrored("here")
    await api.mirrored("there", workspace="other")
    headers = issuer.headers("ada", "team")
    assert (await ask(api, "GET", "/v1/workspaces/other/jobs", headers))[0] == 403
    status, found = await ask(api, "GET", "/v1/jobs", headers)
    assert (status, [each["name"] for each in found["items"]]) == (200, ["here"])


async def test_events_of_other_workspaces_are_neither_told_nor_written(
    api: Api, issuer: Issuer
) -> None:
    def event(number: int, **fields: Any) -> dict[str, Any]:
        milliseconds = int(datetime.now(UTC).timestamp() * 1000)
        id_ = f"{milliseconds:012x}7000a000{number:012x}"
        return {"id": id_, "type": "user.note", **fields}

    headers, eve = issuer.headers("ada", "team"), issuer.headers("eve", "ops")
    wanted = [event(1, workspace="team"), event(2, workspace="other"), event(3)]
    assert (await ask(api, "POST", "/v1/events", eve, json={"events": wanted}))[0] == 200
    _, found = await ask(api, "GET", "/v1/events", headers)
    assert [each["workspace"] for each in found["events"]] == ["team"]
    status, _ = await ask(api, "GET", "/v1/events?workspace=other", headers)
    assert status == 403
    for more in (event(4, workspace="other"), event(5)):
        batch = {"events": [event(6, workspace="team"), more]}
        status, found = await ask(api, "POST", "/v1/events", headers, json=batch)
        assert (status, found["field"]) == (403, "events.1.workspace")
    fenced = {**headers, "Coxswain-Lease": "other/deploy=1"}
    batch = {"events": [event(7, workspace="team")]}
    assert (await ask(api, "POST", "/v1/events", fenced, json=batch))[0] == 403


async def test_enough_of_the_named_people_have_to_agree_and_nobody_counts_twice(
    api: Api, issuer: Issuer
) -> None:
    rule = {"approvers": ["ada", "bob", "cyd"], "required": 2, "excludeRequester": True}
    await make(api, issuer.headers("ada", "team"), approval=rule)
    reader = issuer.headers("bob", "guests")
    _, seen = await ask(api, "GET", f"{JOBS}/first/approval", reader)
    assert (seen["state"], seen["approvers"]) == ("ApprovalPending", ["bob", "cyd"])

    async def agree(headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        body = {"hash": seen["hash"]}
        return await ask(api, "POST", f"{JOBS}/first/approve", headers, json=body)

    # Who made it has no say, a role gives none, and a word that is said again is one word.
    for headers in (issuer.headers("ada", "team"), issuer.headers("eve", "ops")):
        status, found = await agree(headers)
        assert (status, found["code"]) == (403, "not_an_approver")
    for _ in range(2):
        status, found = await agree(reader)
        assert (status, found["state"]) == (200, "ApprovalPending")
    status, found = await agree(issuer.headers("cyd", "team"))
    assert (status, found["state"]) == (200, "Approved")
    assert [each["approver"] for each in found["given"]] == ["bob", "cyd"]


async def test_a_stream_ends_with_the_token_that_opened_it(api: Api, issuer: Issuer) -> None:
    # Five seconds of leeway are given to clocks: this token is good for one or two more.
    soon = datetime.now(UTC) - timedelta(seconds=3)
    headers = {**issuer.headers("ada", "team", exp=soon), "Accept": "text/event-stream"}
    async with api.anybody.get("/v1/events", headers=headers) as answer:
        assert answer.status == 200
        text = (await answer.read()).decode()
    assert "event: closed" in text
    assert "token_expired" in text


async def test_a_stream_ends_with_the_key_that_opened_it(api: Api) -> None:
    id_, headers = await api.made_key("Read")
    headers = {**headers, "Accept": "text/event-stream"}
    async with api.anybody.get("/v1/events", headers=headers) as answer:
        async with api.user.post(f"/v1/keys/{id_}/revoke", json={"reason": "over"}) as revoked:
            assert revoked.status == 200
        text = (await answer.read()).decode()
    assert "event: closed" in text
    assert "key_revoked" in text
