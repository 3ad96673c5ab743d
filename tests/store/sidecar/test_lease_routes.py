"""Leases over HTTP, for people and their programs: what a holder, a second one and a person see."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from coxswain.store import wakes
from tests.support.leases import Leases
from tests.support.rows import event
from tests.support.sidecar_api import Api

ONE = "/v1/workspaces/team/leases/deploy"
ALL = "/v1/workspaces/team/leases"
Body = dict[str, Any]


@pytest.fixture
def leases(api: Api) -> Leases:
    return Leases(api.operator, api.operator)


async def post(api: Api, path: str, body: Body | None = None, **kwargs: Any) -> tuple[int, Body]:
    async with api.user.post(path, json=body or {}, **kwargs) as answer:
        return answer.status, await answer.json()


async def got(api: Api, path: str) -> tuple[int, Body]:
    async with api.user.get(path) as answer:
        return answer.status, await answer.json()


async def test_a_lease_is_taken_renewed_read_and_let_go(api: Api, leases: Leases) -> None:
    await leases.has()
    status, taken = await post(api, f"{ONE}/acquire")
    assert (status, taken["holder"], taken["token"], taken["state"]) == (
        200,
        "user:local",
        1,
        "Held",
    )
    assert 28 <= taken["secondsLeft"] <= 30
    status, renewed = await post(api, f"{ONE}/renew", {"token": 1})
    assert (status, renewed["acquiredAt"]) == (200, taken["acquiredAt"])
    status, read = await got(api, ONE)
    assert (status, read["holder"], read["resource"]) == (200, "user:local", "git:deploy")
    status, freed = await post(api, f"{ONE}/release", {"token": 1})
    assert (status, freed["state"], freed["formerHolder"]) == (200, "Free", "user:local")


async def test_a_second_program_of_the_same_person_is_another_holder(
    api: Api, leases: Leases
) -> None:
    await leases.has()
    await post(api, f"{ONE}/acquire", {"holder": "one"})
    status, refused = await post(api, f"{ONE}/acquire", {"holder": "two"})
    assert (status, refused["code"]) == (409, "lease_held")
    assert "held by user:local/one until" in refused["message"]
    for deed in ("renew", "release"):
        status, refused = await post(api, f"{ONE}/{deed}", {"holder": "two", "token": 1})
        assert (status, refused["code"]) == (409, "lease_not_held")
        assert "held by user:local/one, not by user:local/two" in refused["message"]


async def test_a_token_from_the_future_is_refused_with_its_place(api: Api, leases: Leases) -> None:
    await leases.has()
    await post(api, f"{ONE}/acquire")
    status, refused = await post(api, f"{ONE}/renew", {"token": 2})
    assert (status, refused["code"], refused["field"]) == (409, "lease_token_unknown", "token")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (f"{ALL}/{'x' * 300}/acquire", {}, "path.name"),
        (f"{ALL}/No_Name/acquire", {}, "path.name"),
        (f"{ONE}/acquire", {"holder": "x" * 300}, "holder"),
        (f"{ONE}/acquire", {"holder": "two words"}, "holder"),
        (f"{ONE}/acquire", {"waitSeconds": 61}, "waitSeconds"),
        (f"{ONE}/acquire", {"ttlSeconds": 5}, "ttlSeconds"),
        (f"{ONE}/renew", {}, "token"),
        (f"{ONE}/renew", {"token": 0}, "token"),
        (f"{ONE}/renew", {"token": 2**63}, "token"),
        (ALL, {"metadata": {"name": "x" * 64}, "spec": {"resource": "r"}}, "metadata.name"),
        (ALL, {"metadata": {"name": "x"}, "spec": {"resource": "x" * 300}}, "spec.resource"),
        (ALL, {"metadata": {"name": "x"}, "spec": {"resource": "r", "ttlSeconds": 0}}, "spec.ttlSeconds"),
        ("/v1/workspaces/team/lease-renewals", {"renewals": []}, "renewals"),
    ],
)  # fmt: skip
async def test_bad_input_is_refused_with_its_place(
    api: Api, leases: Leases, path: str, body: Body, field: str
) -> None:
    await leases.has()
    status, refused = await post(api, path, body)
    assert (status, refused["field"]) == (422, field)
    assert (await leases.row()).state == "Free"


async def test_one_that_is_not_there_is_told_from_one_that_nobody_has_looked_at(api: Api) -> None:
    for status, answer in (await got(api, ONE), await post(api, f"{ONE}/acquire")):
        assert (status, answer["code"]) == (404, "lease_unknown")
    made = {"metadata": {"name": "deploy"}, "spec": {"resource": "git:main"}}
    status, answer = await post(api, ALL, made)
    assert (status, answer["kind"], answer["spec"]) == (201, "Lease", {"resource": "git:main"})
    for status, answer in (await got(api, ONE), await post(api, f"{ONE}/acquire")):
        assert (status, answer["code"]) == (503, "lease_unconfirmed")


async def test_a_batch_renews_each_by_itself(api: Api, leases: Leases) -> None:
    for name in ("a", "b"):
        await leases.has(name)
    await post(api, f"{ALL}/a/acquire")
    wanted = [{"name": "a", "token": 1}, {"name": "b", "token": 1}, {"name": "c", "token": 1}]
    status, answer = await post(api, "/v1/workspaces/team/lease-renewals", {"renewals": wanted})
    assert status == 200
    assert [each["name"] for each in answer["renewed"]] == ["a"]
    assert {each["name"]: each["code"] for each in answer["refused"]} == {
        "b": "lease_not_held",
        "c": "lease_unknown",
    }
    twice = {"renewals": [wanted[0], wanted[0]]}
    status, answer = await post(api, "/v1/workspaces/team/lease-renewals", twice)
    assert (status, answer["field"]) == (422, "renewals")


async def test_who_waits_gets_it_the_moment_it_is_let_go(api: Api, leases: Leases) -> None:
    await leases.has()
    await post(api, f"{ONE}/acquire", {"holder": "one"})
    wait = {"holder": "two", "waitSeconds": 30}
    waiting = asyncio.create_task(post(api, f"{ONE}/acquire", wait))
    async with asyncio.timeout(20):
        while (await leases.row()).waiters == 0:  # noqa: ASYNC110 - another request makes it true
            await asyncio.sleep(0.02)
        await post(api, f"{ONE}/release", {"holder": "one", "token": 1})
        status, taken = await waiting
    assert (status, taken["holder"], taken["token"]) == (200, "user:local/two", 2)


async def test_who_hangs_up_leaves_the_line_and_is_given_nothing(api: Api, leases: Leases) -> None:
    await leases.has()
    await post(api, f"{ONE}/acquire", {"holder": "one"})
    wait = {"holder": "two", "waitSeconds": 60}
    waiting = asyncio.create_task(post(api, f"{ONE}/acquire", wait))
    async with asyncio.timeout(10):
        while (await leases.row()).waiters == 0:  # noqa: ASYNC110 - another request makes it true
            await asyncio.sleep(0.02)
        waiting.cancel()
        while (await leases.row()).waiters > 0:  # noqa: ASYNC110 - the process notices it
            await asyncio.sleep(0.02)
    await post(api, f"{ONE}/release", {"holder": "one", "token": 1})
    status, taken = await post(api, f"{ONE}/acquire", {"holder": "three"})
    assert (status, taken["holder"]) == (200, "user:local/three")


async def test_who_waited_in_vain_is_told_the_place(api: Api, leases: Leases) -> None:
    await leases.has()
    await post(api, f"{ONE}/acquire", {"holder": "one"})
    status, refused = await post(api, f"{ONE}/acquire", {"holder": "two", "waitSeconds": 1})
    assert (status, refused["code"]) == (409, "lease_held")
    assert "0 stand ahead of you" in refused["message"]
    assert (await leases.row()).waiters == 1


async def test_what_was_restored_is_put_before_the_operator(api: Api, leases: Leases) -> None:
    await leases.has()
    found = await api.operator.run(wakes.unhandled)
    await api.operator.transact(wakes.handled, found)

    async def moved(connection: Any) -> None:
        await connection.execute("UPDATE leases SET line = 'another'")

    await api.operator.transact(moved)
    status, refused = await post(api, f"{ONE}/acquire")
    assert (status, refused["code"]) == (503, "lease_unconfirmed")
    (wake,) = await api.operator.run(wakes.unhandled)
    assert (wake.kind, wake.name) == ("Lease", "deploy")


async def test_a_person_hands_on_what_is_unclear(api: Api, leases: Leases) -> None:
    first = await leases.has()
    await leases.has(uid=first.uid, last_token=4, last_holder="user:gone")
    status, refused = await post(api, f"{ONE}/acquire")
    assert (status, refused["code"]) == (409, "lease_quarantined")
    reason = {"token": 4, "reason": "the laptop is at the bottom of the lake"}
    status, freed = await post(api, f"{ONE}/reclaim", reason)
    assert (status, freed["state"], freed["formerHolder"]) == (200, "Expired", "user:gone")
    assert (await leases.last())["message"] == reason["reason"]


async def test_leases_are_listed_by_state_holder_and_page(api: Api, leases: Leases) -> None:
    for name in ("a", "b", "c"):
        await leases.has(name)
    await post(api, f"{ALL}/b/acquire")
    _, held = await got(api, f"{ALL}?state=Held")
    _, mine = await got(api, "/v1/leases?holder=user:local")
    assert [each["name"] for each in held["items"]] == ["b"]
    assert held["items"] == mine["items"]
    _, first = await got(api, f"{ALL}?limit=2")
    _, second = await got(api, f"{ALL}?limit=2&cursor={first['next']}")
    assert [each["name"] for each in [*first["items"], *second["items"]]] == ["a", "b", "c"]
    assert "next" not in second
    status, refused = await got(api, f"{ALL}?cursor=nonsense")
    assert (status, refused["field"]) == (400, "query.cursor")


async def test_a_persons_events_under_a_lease_bounce_once_it_was_handed_over(
    api: Api, leases: Leases
) -> None:
    await leases.has()
    await post(api, f"{ONE}/acquire", {"holder": "one"})
    under = {"Coxswain-Lease": "team/deploy=1"}

    async def write(headers: dict[str, str]) -> tuple[int, Body]:
        said = {"events": [{"id": str(event().id), "type": "user.note"}]}
        return await post(api, "/v1/events", said, headers=headers)

    assert (await write(under))[0] == 200
    await post(api, f"{ONE}/release", {"holder": "one", "token": 1})
    await post(api, f"{ONE}/acquire", {"holder": "two"})
    status, refused = await write(under)
    assert (status, refused["code"]) == (409, "lease_lost")
    assert "at token 2 by now, held by user:local/two" in refused["message"]
    twice = "team/deploy=1, team/deploy=2"
    for bad in (
        "deploy=1",
        "team/deploy",
        "team/deploy=x",
        "",
        twice,
        "team/deploy=2,team/deploy=2",
    ):
        status, refused = await write({"Coxswain-Lease": bad})
        assert (status, refused["field"]) == (422, "header.Coxswain-Lease")


async def test_a_run_takes_a_lease_under_its_own_identity(api: Api, leases: Leases) -> None:
    await leases.has()
    await leases.has("given")
    _, _, headers = await api.claimed(leases=["given"])

    async def ask(path: str, body: Body | None = None) -> tuple[int, Body]:
        url = f"/v1/run/leases/{path}"
        async with api.anybody.post(url, json=body or {}, headers=headers) as answer:
            return answer.status, await answer.json()

    assert (await ask("deploy/acquire"))[1]["holder"] == "job:first/1"
    assert (await ask("deploy/renew", {"token": 1}))[0] == 200
    async with api.anybody.get("/v1/run/leases", headers=headers) as answer:
        held = {each["name"]: each["token"] for each in (await answer.json())["items"]}
    assert held == {"deploy": 1, "given": 1}
    assert (await post(api, f"{ONE}/acquire"))[1]["code"] == "lease_held"
    assert (await ask("given/release", {"token": 1}))[1]["code"] == "lease_of_run"
    assert (await ask("deploy/release", {"token": 1}))[1]["state"] == "Free"
    assert (await post(api, f"{ONE}/acquire"))[0] == 200
    assert (await ask("deploy/renew", {"token": 1}))[1]["code"] == "lease_not_held"
    under = {**headers, "Coxswain-Lease": "deploy=1"}
    async with api.anybody.put("/v1/run/artifacts/x", data=b"x", headers=under) as answer:
        assert (answer.status, (await answer.json())["code"]) == (409, "lease_lost")
    twice = {**headers, "Coxswain-Lease": "deploy=2,deploy=1"}
    async with api.anybody.put("/v1/run/artifacts/x", data=b"x", headers=twice) as answer:
        refused = await answer.json()
        assert (answer.status, refused["field"]) == (422, "header.Coxswain-Lease")
        assert refused["message"] == "name each lease once"
    async with api.anybody.put("/v1/run/artifacts/x", data=b"x", headers=headers) as answer:
        assert answer.status == 204


async def test_a_claim_tells_the_tokens_of_the_runs_leases(api: Api, leases: Leases) -> None:
    await leases.has("given")
    new, pod = await api.opened(job_uid=str(uuid4()), leases=["given"])
    run = {"run": f"{new.key.job_uid}/1"}
    async with api.anybody.post("/v1/run/claim", json=run, headers=api.as_pod(pod)) as answer:
        claimed = await answer.json()
    assert (claimed["run"]["leases"], claimed["leases"]) == (["given"], {"given": 1})
