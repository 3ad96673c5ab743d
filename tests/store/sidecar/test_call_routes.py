"""Calls that people have to agree to, over HTTP. There is one person now, whose name is local."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from coxswain.api.approval import CallApproval
from coxswain.store import events, runs, uuid7
from coxswain.store.pool import Store
from coxswain.store.runs import RunKey
from tests.support import rows
from tests.support.postgres import Database
from tests.support.sidecar_api import Api, running

CALLS = "/v1/workspaces/team/jobs/first/calls"
CALL = {"tool": "run_command", "arguments": '{"command":"rm -r build"}'}


@dataclass(frozen=True)
class Asking:
    """A pod whose Agent names local and ada, and its Job in the mirror."""

    api: Api
    key: RunKey
    pod: dict[str, str]

    async def ask(self, **changes: str) -> tuple[int, dict[str, Any]]:
        body = {**CALL, **changes}
        path = "/v1/run/approvals"
        async with self.api.anybody.post(path, json=body, headers=self.pod) as answer:
            return answer.status, await answer.json(content_type=None)

    async def say(self, word: str, hash: str, **body: Any) -> tuple[int, dict[str, Any]]:  # noqa: A002 - the wire's name
        async with self.api.user.post(f"{CALLS}/{hash}/{word}", json=body) as answer:
            return answer.status, await answer.json(content_type=None)

    async def shown(self, path: str = CALLS) -> list[dict[str, Any]]:
        async with self.api.user.get(path) as answer:
            assert answer.status == 200
            found = await answer.json()
        calls: list[dict[str, Any]] = found.get("calls", found["items"])
        return calls


async def asking(api: Api, **rule: Any) -> Asking:
    wanted = {"approvers": ["local", "ada"], **rule}
    document = {"approvals": CallApproval.model_validate(wanted), "requester": "eve"}
    row = await api.mirrored("first", phase="Running", spec={"title": "t"})
    new = rows.new_run(row.uid, document=document)
    await api.operator.transact(runs.open_run, new)
    pod = api.as_pod(rows.pod(name=new.pod_name))
    run = {"run": f"{row.uid}/1"}
    async with api.anybody.post("/v1/run/claim", json=run, headers=pod) as answer:
        claimed = await answer.json()
    # Who may agree to what is no business of the pod.
    assert {"approvals", "requester"} & set(claimed["run"]) == set()
    return Asking(api, new.key, pod)


async def test_what_is_asked_is_shown_whole_to_people(api: Api) -> None:
    agent = await asking(api)
    status, answer = await agent.ask()
    assert (status, answer["state"]) == (200, "ApprovalPending")
    assert 890 < answer["secondsLeft"] <= 900
    (mine,), (everywhere,) = await agent.shown(), await agent.shown("/v1/approvals")
    assert mine == everywhere
    assert (mine["tool"], mine["arguments"]) == (CALL["tool"], CALL["arguments"])
    assert (mine["hash"], mine["attempt"], mine["agent"]) == (answer["hash"], 1, "reader")
    assert (mine["approvers"], mine["required"], mine["requester"]) == (["local", "ada"], 1, "eve")


@pytest.mark.parametrize(("word", "state"), [("approve", "Approved"), ("deny", "ApprovalDenied")])
async def test_a_word_reaches_the_agent_and_the_same_again_is_harmless(
    api: Api, word: str, state: str
) -> None:
    agent = await asking(api)
    _, asked = await agent.ask()
    for reason in ("I looked", "again"):
        status, seen = await agent.say(word, asked["hash"], reason=reason)
        assert (status, seen["state"]) == (200, state)
    (given,) = seen["given"]
    assert (given["approver"], given["reason"]) == ("local", "I looked")
    _, answer = await agent.ask()
    assert answer["state"] == state
    assert await agent.shown("/v1/approvals") == []
    other = "deny" if word == "approve" else "approve"
    status, refused = await agent.say(other, asked["hash"])
    assert (status, refused["code"]) == (409, "approval_decided")


@pytest.mark.parametrize(
    ("rule", "status", "code"),
    [
        ({"approvers": ["ada"]}, 403, "not_an_approver"),
        ({"approvers": ["ada", "bob"], "excludeRequester": True}, 403, "not_an_approver"),
    ],
)
async def test_only_people_with_a_say_are_heard(
    api: Api, rule: dict[str, Any], status: int, code: str
) -> None:
    agent = await asking(api, **rule)
    _, asked = await agent.ask()
    found = await agent.say("approve", asked["hash"])
    assert (found[0], found[1]["code"]) == (status, code)


async def test_a_word_about_something_else_or_too_late_is_refused(api: Api) -> None:
    agent = await asking(api)
    _, asked = await agent.ask()
    answers = [
        await agent.say("approve", "0" * 64),
        await agent.say("approve", "not-a-hash"),
        await agent.say("approve", asked["hash"], mood="calm"),
    ]
    await api.operator.transact(runs.close_run, agent.key, "Lost", knows_result=False)
    answers.append(await agent.say("approve", asked["hash"]))
    assert [(status, body["code"]) for status, body in answers] == [
        (404, "call_unknown"),
        (422, "invalid"),
        (422, "invalid"),
        (409, "approval_over"),
    ]
    (seen,) = await agent.shown()
    assert (seen["state"], seen["given"]) == ("ApprovalOver", [])


async def test_what_no_person_could_read_is_refused_with_its_place(api: Api) -> None:
    agent = await asking(api)
    answers = [
        await agent.ask(arguments="x" * 65_537),
        await agent.ask(arguments="\0"),
        await agent.ask(tool=""),
    ]
    assert [(status, body["field"]) for status, body in answers] == [
        (422, "arguments"),
        (422, "arguments"),
        (422, "tool"),
    ]
    assert await agent.shown() == []


async def test_no_pod_writes_events_of_approvals_itself(api: Api) -> None:
    agent = await asking(api)
    _, asked = await agent.ask()
    page = await api.operator.run(events.after, 0, events.Filter(type="run.approval."))
    (event,) = [each.event for each in page.events]
    assert event.details == {"hash": asked["hash"], "tool": "run_command"}
    fresh = uuid7.new(datetime.now(UTC))
    forged = {"id": str(fresh), "seq": 1, "type": "run.approval.ended", "details": {}}
    body = {"events": [forged]}
    async with api.anybody.post("/v1/run/events", json=body, headers=agent.pod) as answer:
        assert answer.status == 422


async def test_a_question_outlives_the_process_that_took_it(
    database: Database, operator_store: Store, tmp_path: Path
) -> None:
    async with running(database, operator_store, tmp_path) as first:
        agent = await asking(first)
        _, asked = await agent.ask()
    async with running(database, operator_store, tmp_path) as second:
        person = Asking(second, agent.key, {})
        status, seen = await person.say("approve", asked["hash"])
        assert (status, seen["state"]) == (200, "Approved")
        run = await operator_store.run(runs.of, agent.key)
        assert run is not None
        pod = second.as_pod(rows.pod(name=run.pod_name, uid=run.pod_uid))
        _, answer = await Asking(second, agent.key, pod).ask()
    assert (answer["state"], answer["hash"]) == ("Approved", asked["hash"])
