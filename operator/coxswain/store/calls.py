"""Calls of tools that people have to agree to, and how far they are. One row per attempt and call.

The row's lock decides: whoever ends a question, a word or the end of its time, ends it for good, and
nobody is told two things about it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from coxswain.api.approval import CallApproval
from coxswain.api.contract import CallRequest
from coxswain.api.event_type import D, EventType
from coxswain.api.event_types.door import CALL_ASKED, CALL_SETTLED, CallAsked, CallSettled
from coxswain.api.records import Event, Given, Run
from coxswain.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UserError,
)
from coxswain.rules import approvals as rules
from coxswain.rules.approvals import Judged, State
from coxswain.store import approvals, claims, events
from coxswain.store.approvals import Word
from coxswain.store.pool import Connection

PER_ATTEMPT = 200
MOST = 200
NOT_SET = "approvals_not_set"
TOO_MANY = "too_many_calls"
UNKNOWN = "call_unknown"
NOT_AN_APPROVER = "not_an_approver"
OVER = "approval_over"

_ROWS = (
    "SELECT asked_calls.*, runs.workspace, runs.job_name, runs.agent_name, runs.closed_at,"
    " runs.document -> 'approvals' AS rule, runs.document ->> 'requester' AS requester,"
    " clock_timestamp() AS now"
    " FROM asked_calls JOIN runs USING (job_uid, attempt)"
)


@dataclass(frozen=True)
class AskedCall:
    """A call and how far it is, with all that goes into the judgement."""

    workspace: str
    job_name: str
    agent_name: str
    job_uid: str
    attempt: int
    tool: str
    arguments: str
    hash: str
    rule: CallApproval
    requester: str | None
    asked_at: datetime
    until: datetime
    now: datetime
    """By the database's clock."""
    judged: Judged
    given: tuple[Given, ...]
    is_kept: bool
    """Whether the judgement stands in the row, for good."""


async def ask(connection: Connection, pod_uid: str, call: CallRequest) -> AskedCall:
    """Ask people about a call of the pod's run, or see how far the same question is.

    Raises UserError approvals_not_set or too_many_calls, ConflictError run_closed.
    """
    run = await claims.held(connection, pod_uid)
    rule = run.document.approvals
    if rule is None:
        text = "the Agent's spec.approvals names nobody who could agree; set it, or do not ask"
        raise UserError(text, code=NOT_SET)
    shown = rules.call_hash(run.key.job_uid, run.key.attempt, call.tool, call.arguments)
    is_new = await _stand(connection, run, call, shown, rule.timeout_seconds)
    found = await _look(connection, run.key.job_uid, shown)
    about = CallAsked(hash=found.hash, tool=found.tool)
    told = [_event(found, CALL_ASKED, about, found.asked_at)] if is_new else []
    await _settle(connection, found, told)
    return found


async def decide(connection: Connection, word: Word) -> AskedCall:
    """Keep a person's word about a call, and end the question where that decides it.

    The same again is harmless. Raises NotFoundError call_unknown, ForbiddenError not_an_approver,
    ConflictError approval_decided or approval_over.
    """
    found = await _look(connection, word.job_uid, word.hash)
    word = replace(word, attempt=found.attempt)
    if any(each.approver == word.approver for each in found.given):
        await approvals.keep(connection, word)
        return found
    electors = rules.electors(found.rule, found.requester)
    if word.approver not in electors:
        text = f"{word.approver} has no say here, but {', '.join(electors) or 'nobody'}"
        raise ForbiddenError(text, code=NOT_AN_APPROVER)
    if found.judged.state is not State.PENDING:
        raise ConflictError(f"nobody is asked any more: {found.judged.message}", code=OVER)
    told = await approvals.keep(connection, word)
    found = await _look(connection, word.job_uid, word.hash)
    await _settle(connection, found, [] if told is None else [told])
    return found


async def of_job(connection: Connection, job_uid: str) -> tuple[AskedCall, ...]:
    """All calls that an agent asked about in a Job, newest first."""
    rows = await connection.fetch(
        f"{_ROWS} WHERE job_uid = $1 ORDER BY asked_at DESC, hash LIMIT $2",
        job_uid,
        MOST,
    )
    return await _read(connection, rows)


async def pending(
    connection: Connection, workspaces: frozenset[str] | None = None
) -> tuple[AskedCall, ...]:
    """Calls of these workspaces, or of all, that wait for people, oldest first."""
    # The partial index holds what has no answer; runs that ended before one fall out of it by time.
    rows = await connection.fetch(
        f"{_ROWS} WHERE state = $1 AND until > now() AND closed_at IS NULL"
        " AND (workspace = ANY ($3::text[]) OR $3 IS NULL) ORDER BY asked_at, hash LIMIT $2",
        State.PENDING,
        MOST,
        None if workspaces is None else list(workspaces),
    )
    return await _read(connection, rows)


async def _stand(
    connection: Connection, run: Run, call: CallRequest, shown: str, seconds: int
) -> bool:
    """Have the question stand; False: it stood already."""
    # claims.held has locked the run, so nobody asks for it meanwhile.
    standing = await connection.fetch(
        "SELECT hash FROM asked_calls WHERE job_uid = $1 AND attempt = $2",
        run.key.job_uid,
        run.key.attempt,
    )
    if shown in {row["hash"] for row in standing}:
        return False
    if len(standing) >= PER_ATTEMPT:
        raise UserError(f"an attempt asks about at most {PER_ATTEMPT} calls", code=TOO_MANY)
    await connection.execute(
        "INSERT INTO asked_calls (job_uid, attempt, hash, tool, arguments, until)"
        " VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))",
        run.key.job_uid,
        run.key.attempt,
        shown,
        call.tool,
        call.arguments,
        float(seconds),
    )
    return True


async def _look(connection: Connection, job_uid: str, shown: str) -> AskedCall:
    """The question as it is now, kept from changing until the transaction ends."""
    is_there = await connection.fetchval(
        "SELECT true FROM asked_calls WHERE job_uid = $1 AND hash = $2 FOR UPDATE", job_uid, shown
    )
    if not is_there:
        raise NotFoundError("no agent has asked about such a call in this Job", code=UNKNOWN)
    # A statement of its own: it sees what was said while this waited for the lock.
    rows = await connection.fetch(f"{_ROWS} WHERE job_uid = $1 AND hash = $2", job_uid, shown)
    (found,) = await _read(connection, rows)
    return found


async def _settle(connection: Connection, found: AskedCall, told: list[Event]) -> None:
    """Keep an answer for good once there is one, and tell of it; last, since it locks the log."""
    if not found.is_kept and found.judged.state not in (State.PENDING, State.OVER):
        await connection.execute(
            "UPDATE asked_calls SET state = $3, message = $4, ended_at = $5"
            " WHERE job_uid = $1 AND hash = $2",
            found.job_uid,
            found.hash,
            found.judged.state,
            found.judged.message,
            found.now,
        )
        said = CallSettled(
            hash=found.hash,
            tool=found.tool,
            state=found.judged.state,
            message=found.judged.message,
        )
        told = [*told, _event(found, CALL_SETTLED, said, found.now)]
    if told:
        await events.append(connection, told)


def _event(found: AskedCall, what: EventType[D], data: D, at: datetime) -> Event:
    return Event.of(
        what,
        data,
        id=events.derived_id(found.job_uid, found.attempt, f"{what.name} {found.hash}", at),
        actor=f"agent:{found.workspace}/{found.agent_name}",
        workspace=found.workspace,
        name=found.job_name,
        uid=found.job_uid,
        attempt=found.attempt,
    )


async def _read(connection: Connection, rows: Sequence[asyncpg.Record]) -> tuple[AskedCall, ...]:
    uids = {str(row["job_uid"]) for row in rows}
    given = await approvals.of(connection, sorted(uids)) if uids else {}
    return tuple(_stored(row, given.get(str(row["job_uid"]), ())) for row in rows)


def _stored(row: asyncpg.Record, said: Sequence[Given]) -> AskedCall:
    rule = CallApproval.of_other_version(row["rule"])
    given = tuple(each for each in said if each.hash == row["hash"])
    return AskedCall(
        workspace=row["workspace"],
        job_name=row["job_name"],
        agent_name=row["agent_name"],
        job_uid=str(row["job_uid"]),
        attempt=row["attempt"],
        tool=row["tool"],
        arguments=row["arguments"],
        hash=row["hash"],
        rule=rule,
        requester=row["requester"],
        asked_at=row["asked_at"],
        until=row["until"],
        now=row["now"],
        judged=_judged(row, rule, given),
        given=given,
        is_kept=row["state"] != State.PENDING,
    )


def _judged(row: asyncpg.Record, rule: CallApproval, given: Sequence[Given]) -> Judged:
    if row["state"] != State.PENDING:
        return Judged(State(row["state"]), row["message"])
    if row["closed_at"] is not None:
        return Judged(State.OVER, "the run ended before there was an answer")
    return rules.judge(
        rule,
        requester=row["requester"],
        given=given,
        shown=row["hash"],
        until=row["until"],
        now=row["now"],
        about=rules.CALL,
    )
