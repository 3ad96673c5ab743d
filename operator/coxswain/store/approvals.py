"""Who agreed to a Job, or to a call in it, and who denied it.

The first word of a person about what was shown stands.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from coxswain.api.event_types.approval import APPROVAL_DENIED, APPROVAL_GIVEN, Said
from coxswain.api.records import Event, Given
from coxswain.errors import ConflictError
from coxswain.store import events, wakes
from coxswain.store.pool import Connection

DECIDED = "approval_decided"


@dataclass(frozen=True)
class Word:
    """What a person says about a Job, or about a call of a tool in one of its attempts."""

    workspace: str
    job_name: str
    job_uid: str
    approver: str
    hash: str
    approved: bool
    reason: str = ""
    attempt: int | None = None
    """Of a call."""


async def give(connection: Connection, word: Word) -> bool:
    """Keep a word about a Job, tell of it and wake the operator; see ``keep``. False: it stood."""
    told = await keep(connection, word)
    if told is None:
        return False
    await wakes.add(connection, "Job", word.workspace, word.job_name)
    await events.append(connection, [told])
    return True


async def keep(connection: Connection, word: Word) -> Event | None:
    """Keep a word; the event that tells of it, for the end of the transaction. None: it stood.

    Raises ConflictError approval_decided if the person said otherwise before.
    """
    at = await connection.fetchval(
        "INSERT INTO approvals (job_uid, approver, hash, approved, reason)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (job_uid, approver, hash) DO NOTHING"
        " RETURNING at",
        word.job_uid,
        word.approver,
        word.hash,
        word.approved,
        word.reason,
    )
    if at is None:
        # A statement of its own: it sees the word that came between.
        approved = await connection.fetchval(
            "SELECT approved FROM approvals WHERE job_uid = $1 AND approver = $2 AND hash = $3",
            word.job_uid,
            word.approver,
            word.hash,
        )
        if approved is not word.approved:
            said = "agreed" if approved else "denied it"
            raise ConflictError(f"{word.approver} {said} before; that stands", code=DECIDED)
        return None
    what = APPROVAL_GIVEN if word.approved else APPROVAL_DENIED
    return Event.of(
        what,
        Said(hash=word.hash, reason=word.reason),
        id=events.derived_id(
            word.job_uid, word.attempt or 0, f"{what.name} {word.approver} {word.hash}", at
        ),
        actor=f"user:{word.approver}",
        workspace=word.workspace,
        name=word.job_name,
        uid=word.job_uid,
        attempt=word.attempt,
    )


async def of(connection: Connection, job_uids: Sequence[str]) -> dict[str, tuple[Given, ...]]:
    """What was said about each of these Jobs, oldest first; of which nothing was, is left out."""
    rows = await connection.fetch(
        "SELECT job_uid, approver, hash, approved, reason, at FROM approvals"
        " WHERE job_uid = ANY ($1::uuid[]) ORDER BY at, approver",
        list(job_uids),
    )
    found: dict[str, list[Given]] = defaultdict(list)
    for row in rows:
        given = Given(row["approver"], row["hash"], row["approved"], row["reason"], row["at"])
        found[str(row["job_uid"])].append(given)
    return {uid: tuple(each) for uid, each in found.items()}
