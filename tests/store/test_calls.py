"""Calls of tools that people have to agree to, in the records."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from coxswain.api.approval import CallApproval
from coxswain.api.contract import CallRequest
from coxswain.errors import ConflictError, CoxswainError, ForbiddenError, NotFoundError, UserError
from coxswain.rules.approvals import State
from coxswain.store import calls, claims, events, runs, wakes
from coxswain.store.approvals import Word
from coxswain.store.calls import AskedCall
from coxswain.store.pool import Connection, Store
from coxswain.store.runs import RunKey
from tests.support import rows
from tests.support.postgres import Database

CALL = CallRequest(tool="run_command", arguments='{"command":"rm -r build"}')


@dataclass(frozen=True)
class Run:
    """A claimed run whose Agent names ada, bob and eve; eve made the Job."""

    sidecar: Store
    key: RunKey
    pod_uid: str

    async def ask(self, call: CallRequest = CALL) -> AskedCall:
        return await self.sidecar.transact(calls.ask, self.pod_uid, call)

    async def say(self, who: str, hash: str, *, approved: bool = True) -> AskedCall:  # noqa: A002 - the wire's name
        word = Word("team", "first", self.key.job_uid, who, hash, approved, "because")
        return await self.sidecar.transact(calls.decide, word)

    async def told(self) -> list[tuple[str, str | None]]:
        page = await self.sidecar.run(events.after, 0, events.Filter(uid=self.key.job_uid))
        found = [each.event for each in page.events if "approval" in each.event.type]
        return [(each.type, each.details.get("state")) for each in found]


async def started(
    operator: Store, sidecar: Store, job_uid: str | None = None, attempt: int = 1, **rule: Any
) -> Run:
    wanted = {"approvers": ["ada", "bob", "eve"], "required": 2, **rule}
    document = {"approvals": CallApproval.model_validate(wanted), "requester": "eve"}
    new = rows.new_run(job_uid, attempt, document=document)
    await operator.transact(runs.open_run, new)
    pod = rows.pod(name=new.pod_name)
    await sidecar.transact(claims.claim, new.key, pod)
    return Run(sidecar, new.key, pod.uid)


async def passes(database: Database, run: Run, seconds: int) -> None:
    """Let time pass for the questions of a run."""
    connection = await asyncpg.connect(database.admin)
    await connection.execute(
        "UPDATE asked_calls SET asked_at = asked_at - $2::interval, until = until - $2::interval WHERE job_uid = $1",
        run.key.job_uid,
        timedelta(seconds=seconds),
    )
    await connection.close()


async def test_a_question_stands_once_and_is_told_once(
    operator_store: Store, sidecar_store: Store
) -> None:
    run = await started(operator_store, sidecar_store)
    first = await run.ask()
    again = await run.ask()
    assert (first.judged.state, first.hash) == (State.PENDING, again.hash)
    assert again.until == first.until
    (shown,) = await sidecar_store.run(calls.of_job, run.key.job_uid)
    assert (shown.tool, shown.arguments, shown.attempt) == (CALL.tool, CALL.arguments, 1)
    assert await run.told() == [("run.approval.asked", None)]


async def test_enough_words_agree_and_the_answer_stands(
    operator_store: Store, sidecar_store: Store, database: Database
) -> None:
    run = await started(operator_store, sidecar_store)
    shown = (await run.ask()).hash
    assert (await run.say("ada", shown)).judged.state is State.PENDING
    assert (await run.say("bob", shown)).judged.state is State.APPROVED
    # Whoever comes late changes nothing, and neither does time.
    with pytest.raises(ConflictError) as refused:
        await run.say("eve", shown, approved=False)
    assert refused.value.code == "approval_over"
    await passes(database, run, 10_000)
    assert (await run.ask()).judged == (State.APPROVED, "approved by ada, bob")
    assert await run.told() == [
        ("run.approval.asked", None),
        ("approval.given", None),
        ("approval.given", None),
        ("run.approval.ended", "Approved"),
    ]


async def test_a_word_locks_the_log_once_and_last_also_where_it_ends_the_question(
    operator_store: Store, sidecar_store: Store
) -> None:
    run = await started(operator_store, sidecar_store, required=1)
    shown = (await run.ask()).hash

    async def decide(connection: Connection, word: Word) -> list[str]:
        said = list[str]()
        connection.add_query_logger(lambda record: said.append(record.query))
        await calls.decide(connection, word)
        # Loggers are told in the next round of the loop.
        await asyncio.sleep(0)
        return list(said)

    word = Word("team", "first", run.key.job_uid, "ada", shown, approved=True)
    said = await sidecar_store.transact(decide, word)
    assert len(said) > 4
    assert ["append_events" in each for each in said].index(True) == len(said) - 1
    assert await run.told() == [
        ("run.approval.asked", None),
        ("approval.given", None),
        ("run.approval.ended", "Approved"),
    ]


async def test_one_denial_ends_it(operator_store: Store, sidecar_store: Store) -> None:
    run = await started(operator_store, sidecar_store)
    shown = (await run.ask()).hash
    assert (await run.say("ada", shown, approved=False)).judged.state is State.DENIED
    assert (await run.ask()).judged == (State.DENIED, "ada denied it: because")
    assert (await run.told())[-1] == ("run.approval.ended", "ApprovalDenied")


async def test_after_its_time_it_is_refused_and_a_word_counts_no_more(
    operator_store: Store, sidecar_store: Store, database: Database
) -> None:
    run = await started(operator_store, sidecar_store, timeoutSeconds=60)
    shown = (await run.ask()).hash
    await run.say("ada", shown)
    await passes(database, run, 61)
    with pytest.raises(ConflictError) as refused:
        await run.say("bob", shown)
    assert refused.value.code == "approval_over"
    assert (await run.ask()).judged.state is State.TIMED_OUT
    assert (await run.told())[-1] == ("run.approval.ended", "ApprovalTimeout")


async def test_the_same_word_again_is_harmless_and_another_one_is_refused(
    operator_store: Store, sidecar_store: Store
) -> None:
    run = await started(operator_store, sidecar_store)
    shown = (await run.ask()).hash
    for _ in range(2):
        found = await run.say("ada", shown)
    assert [each.approver for each in found.given] == ["ada"]
    with pytest.raises(ConflictError) as refused:
        await run.say("ada", shown, approved=False)
    assert refused.value.code == "approval_decided"


@pytest.mark.parametrize(("who", "rule"), [("mallory", {}), ("eve", {"excludeRequester": True})])
async def test_only_people_with_a_say_are_heard(
    operator_store: Store, sidecar_store: Store, who: str, rule: dict[str, Any]
) -> None:
    run = await started(operator_store, sidecar_store, **rule)
    shown = (await run.ask()).hash
    with pytest.raises(ForbiddenError):
        await run.say(who, shown)
    assert (await run.ask()).given == ()


async def test_where_too_few_may_agree_it_is_refused_at_once(
    operator_store: Store, sidecar_store: Store
) -> None:
    run = await started(operator_store, sidecar_store, required=3, excludeRequester=True)
    found = await run.ask()
    assert found.judged.state is State.IMPOSSIBLE
    assert found.judged.message.startswith("the Agent's spec.approvals: 3 have to agree")
    assert await run.told() == [
        ("run.approval.asked", None),
        ("run.approval.ended", "ApprovalImpossible"),
    ]


async def test_another_call_is_another_question(
    operator_store: Store, sidecar_store: Store
) -> None:
    run = await started(operator_store, sidecar_store, required=1)
    shown = (await run.ask()).hash
    await run.say("ada", shown)
    changed = [
        CallRequest(tool="run_command", arguments='{"command":"rm -r /"}'),
        CallRequest(tool="write_file", arguments=CALL.arguments),
    ]
    assert [(await run.ask(each)).judged.state for each in changed] == [State.PENDING] * 2
    with pytest.raises(NotFoundError):
        await run.say("ada", "0" * 64)


async def test_another_attempt_asks_anew(operator_store: Store, sidecar_store: Store) -> None:
    first = await started(operator_store, sidecar_store, required=1)
    shown = (await first.ask()).hash
    await first.say("ada", shown)
    second = await started(operator_store, sidecar_store, first.key.job_uid, attempt=2, required=1)
    found = await second.ask()
    assert (found.judged.state, found.given) == (State.PENDING, ())


async def test_once_the_run_is_over_nobody_is_asked(
    operator_store: Store, sidecar_store: Store
) -> None:
    run = await started(operator_store, sidecar_store)
    shown = (await run.ask()).hash
    (waits,) = await sidecar_store.run(calls.pending)
    assert waits.hash == shown
    await operator_store.transact(runs.close_run, run.key, "Lost", knows_result=False)
    assert await sidecar_store.run(calls.pending) == ()
    (seen,) = await sidecar_store.run(calls.of_job, run.key.job_uid)
    assert seen.judged.state is State.OVER
    with pytest.raises(ConflictError) as refused:
        await run.say("ada", shown)
    assert refused.value.code == "approval_over"
    with pytest.raises(ConflictError) as late:
        await run.ask()
    assert late.value.code == "run_closed"


async def test_of_the_last_word_and_a_denial_at_once_one_decides(
    operator_store: Store, sidecar_store: Store
) -> None:
    run = await started(operator_store, sidecar_store, required=1)
    shown = (await run.ask()).hash
    both = [run.say("ada", shown), run.say("bob", shown, approved=False), run.ask()]
    answers = await asyncio.gather(*both, return_exceptions=True)
    assert sum(isinstance(each, ConflictError) for each in answers) == 1
    ended = [state for kind, state in await run.told() if kind == "run.approval.ended"]
    assert len(ended) == 1
    assert (await run.ask()).judged.state == ended[0]


async def test_an_attempt_asks_about_so_many_calls_and_no_more(
    operator_store: Store, sidecar_store: Store, database: Database
) -> None:
    run = await started(operator_store, sidecar_store)
    connection = await asyncpg.connect(database.admin)
    await connection.execute(
        "INSERT INTO asked_calls (job_uid, attempt, hash, tool, arguments, until)"
        " SELECT $1, 1, n::text, 't', '{}', now() FROM generate_series(1, $2) AS n",
        run.key.job_uid,
        calls.PER_ATTEMPT,
    )
    await connection.close()
    with pytest.raises(UserError) as refused:
        await run.ask()
    assert refused.value.code == "too_many_calls"


async def test_an_agent_that_names_nobody_is_told_so(
    operator_store: Store, sidecar_store: Store
) -> None:
    new = rows.new_run()
    await operator_store.transact(runs.open_run, new)
    pod = rows.pod(name=new.pod_name)
    await sidecar_store.transact(claims.claim, new.key, pod)
    with pytest.raises(UserError) as refused:
        await sidecar_store.transact(calls.ask, pod.uid, CALL)
    assert refused.value.code == "approvals_not_set"


async def test_a_word_about_a_call_does_not_wake_the_operator(
    operator_store: Store, sidecar_store: Store
) -> None:
    run = await started(operator_store, sidecar_store)
    await run.say("ada", (await run.ask()).hash)
    assert await operator_store.run(wakes.unhandled) == ()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE asked_calls SET until = now() + interval '1 year'",
        "UPDATE asked_calls SET arguments = '{}'",
        "DELETE FROM asked_calls",
    ],
)
async def test_nobody_changes_what_was_shown_or_its_time(
    operator_store: Store, sidecar_store: Store, statement: str
) -> None:
    async def tries(connection: Connection) -> None:
        await connection.execute(statement)

    for store in (operator_store, sidecar_store):
        with pytest.raises(CoxswainError):
            await store.transact(tries)
