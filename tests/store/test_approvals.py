"""Words of people about Jobs, in the records."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from coxswain.errors import ConflictError, CoxswainError
from coxswain.store import approvals, events, wakes
from coxswain.store.approvals import Word
from coxswain.store.pool import Connection, Store

SHOWN = "a" * 64


def word(approver: str = "ada", *, approved: bool = True, shown: str = SHOWN) -> Word:
    return Word("team", "first", str(uuid4()), approver, shown, approved, "looks good")


async def test_a_word_is_kept_once_told_and_wakes_the_operator(
    operator_store: Store, sidecar_store: Store
) -> None:
    said = word()
    assert await sidecar_store.transact(approvals.give, said)
    assert not await sidecar_store.transact(approvals.give, replace(said, reason="again"))
    (given,) = (await operator_store.run(approvals.of, [said.job_uid]))[said.job_uid]
    assert (given.approver, given.approved, given.hash, given.reason) == (
        "ada",
        True,
        SHOWN,
        "looks good",
    )
    page = await sidecar_store.run(events.after, 0, events.Filter(uid=said.job_uid))
    (event,) = [each.event for each in page.events]
    assert (event.type, event.actor, event.name) == ("approval.given", "user:ada", "first")
    (wake,) = await operator_store.run(wakes.unhandled)
    assert (wake.kind, wake.workspace, wake.name) == ("Job", "team", "first")


async def test_the_first_word_of_a_person_stands(sidecar_store: Store) -> None:
    said = word(approved=False)
    await sidecar_store.transact(approvals.give, said)
    with pytest.raises(ConflictError) as refused:
        await sidecar_store.transact(approvals.give, replace(said, approved=True))
    assert refused.value.code == "approval_decided"
    other = replace(said, approved=True, hash="b" * 64)
    assert await sidecar_store.transact(approvals.give, other)


async def test_of_two_words_at_once_one_counts(sidecar_store: Store) -> None:
    said = word()
    both = [
        sidecar_store.transact(approvals.give, replace(said, approved=approved))
        for approved in (True, False)
    ]
    answers = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(each).__name__ for each in answers) == ["ConflictError", "bool"]
    given = await sidecar_store.run(approvals.of, [said.job_uid])
    assert len(given[said.job_uid]) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE approvals SET approved = true",
        "DELETE FROM approvals",
        "INSERT INTO approvals (job_uid, approver, hash, approved, at)"
        " VALUES (gen_random_uuid(), 'a', 'b', true, now() - interval '1 day')",
    ],
)
async def test_nobody_changes_a_word_or_its_time(
    operator_store: Store, sidecar_store: Store, statement: str
) -> None:
    async def tries(connection: Connection) -> None:
        await connection.execute(statement)

    for store in (operator_store, sidecar_store):
        with pytest.raises(CoxswainError):
            await store.transact(tries)
