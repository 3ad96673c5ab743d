"""What the operator does: rows outlive objects, tokens outlive everything, what is over is reclaimed."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from coxswain.api.records import LeaseHolder
from coxswain.errors import ConflictError, NotFoundError, UnavailableError
from coxswain.store import mirror
from coxswain.store.leases import holding, keeping
from coxswain.store.pool import Connection, Store
from tests.support.leases import ANN, BOB, Leases
from tests.support.rows import job, new_lease

PLACE = ("team", "deploy")


async def gone(operator: Store, uid: str) -> None:
    """The operator has seen that the object is no more."""
    row = replace(job("deploy", kind="Lease"), uid=uid)
    await operator.transact(mirror.write, [row], [])
    await operator.transact(mirror.mark_deleted, [uid], [])


async def elsewhere(operator: Store) -> None:
    """As if the records had been restored on another server."""

    async def moved(connection: Connection) -> None:
        await connection.execute("UPDATE leases SET line = 'another'")

    await operator.transact(moved)


async def test_what_is_over_is_reclaimed_with_its_former_holder(leases: Leases) -> None:
    await leases.has()
    await leases.takes(ANN)
    assert await leases.lapse() == 0
    await leases.passes(31)
    assert await leases.lapse() == 1
    row = await leases.row()
    assert (row.state, row.holder, row.former_holder) == ("Expired", None, "user:ann")
    assert (await leases.told())[-1] == ("lease.reclaimed", 1)
    assert await leases.last() == {
        "formerHolder": "user:ann",
        "reason": "Expired",
        "resource": "git:deploy",
        "became": "Expired",
        "token": 1,
    }
    assert await leases.lapse() == 0


async def test_a_row_outlives_its_object_and_the_token_counts_on(
    leases: Leases, operator_store: Store
) -> None:
    first = await leases.has()
    mine = await leases.takes(ANN)
    await gone(operator_store, first.uid)
    for deed in (leases.takes(BOB), leases.renews(ANN, mine.token)):
        with pytest.raises(NotFoundError):
            await deed
    again = await leases.has()
    assert (again.state, again.holder, again.token) == ("Free", None, 1)
    assert (await leases.takes(BOB)).token == 2


async def test_a_row_whose_object_is_gone_for_long_is_dropped(
    leases: Leases, operator_store: Store
) -> None:
    first, other = await leases.has(), await leases.has("other")
    await leases.takes(ANN)
    assert set(await operator_store.run(keeping.standing_for)) == {first.uid, other.uid}
    for _ in range(2):
        await operator_store.transact(keeping.drop, [first.uid])
    assert await operator_store.run(keeping.standing_for) == (other.uid,)
    with pytest.raises(NotFoundError):
        await leases.takes(BOB)


async def test_an_object_made_anew_frees_what_the_former_one_held(leases: Leases) -> None:
    await leases.has()
    await leases.takes(ANN)
    again = await leases.has()
    assert (again.state, again.former_holder) == ("Free", "user:ann")


async def test_the_end_of_a_former_object_that_is_told_late_changes_nothing(
    leases: Leases, operator_store: Store
) -> None:
    former = await leases.has()
    await leases.has()
    mine = await leases.takes(ANN)
    await gone(operator_store, former.uid)
    assert (await leases.renews(ANN, mine.token)).holder == ANN


async def test_defining_it_again_leaves_the_holder_alone(leases: Leases) -> None:
    first = await leases.has()
    mine = await leases.takes(ANN)
    again = await leases.has(uid=first.uid, ttl_seconds=90)
    assert (again.holder, again.token, again.ttl_seconds) == (ANN, mine.token, 90)


async def test_a_second_lease_of_the_same_resource_is_refused(leases: Leases) -> None:
    await leases.has("one", resource="git:main")
    with pytest.raises(ConflictError, match="that of Lease 'one' already"):
        await leases.has("two", resource="git:main")


async def test_after_a_restore_nothing_is_handed_over_before_the_operator_has_looked(
    leases: Leases, operator_store: Store
) -> None:
    first = await leases.has()
    mine = await leases.takes(ANN)
    await elsewhere(operator_store)
    assert (await leases.renews(ANN, mine.token)).holder == ANN
    await leases.lets_go(ANN, mine.token)
    with pytest.raises(UnavailableError, match="restored"):
        await leases.takes(BOB)
    await leases.has(uid=first.uid, last_token=1)
    assert (await leases.takes(BOB)).token == 2 + keeping.LEAP


async def test_records_older_than_the_object_take_its_token_and_doubt_its_holder(
    leases: Leases,
) -> None:
    first = await leases.has()
    await leases.takes(ANN)
    row = await leases.has(uid=first.uid, last_token=7, last_holder="user:bob")
    assert (row.state, row.reason, row.token) == ("Quarantined", "RecordsRestored", 7)
    with pytest.raises(ConflictError, match="whether user:bob still acts"):
        await leases.takes(ANN)
    with pytest.raises(ConflictError):
        await leases.renews(BOB, 6)
    assert (await leases.renews(BOB, 7)).state == "Held"


async def test_a_row_that_was_lost_counts_on_from_the_object(leases: Leases) -> None:
    await leases.has(last_token=5)
    assert (await leases.takes(ANN)).token == 6 + keeping.LEAP


async def test_a_declared_holder_holds_without_renewal_until_it_is_taken_out(
    leases: Leases,
) -> None:
    first = await leases.has(holder="freeze")
    held = await leases.row()
    assert (held.holder, held.token, held.expires_at) == (
        LeaseHolder.declared("freeze"),
        1,
        None,
    )
    with pytest.raises(ConflictError, match="held by declared:freeze"):
        await leases.takes(ANN)
    with pytest.raises(ConflictError):
        await leases.takes(ANN, steal=True)
    freed = await leases.has(uid=first.uid)
    assert (freed.state, freed.holder) == ("Free", None)
    assert await leases.told() == [("lease.acquired", 1), ("lease.released", 1)]


async def test_a_declared_holder_waits_for_the_present_one_and_is_next(leases: Leases) -> None:
    first = await leases.has()
    mine = await leases.takes(ANN)
    again = {"uid": first.uid, "holder": "freeze"}
    assert (await leases.has(**again)).holder == ANN
    await leases.lets_go(ANN, mine.token)
    with pytest.raises(ConflictError, match="kept for declared:freeze"):
        await leases.takes(BOB)
    assert (await leases.has(**again)).holder == LeaseHolder.declared("freeze")


async def test_another_declared_holder_gets_a_token_of_its_own(leases: Leases) -> None:
    first = await leases.has(holder="one")
    other = await leases.has(uid=first.uid, holder="two")
    assert (other.holder, other.token) == (LeaseHolder.declared("two"), 2)
    assert (await leases.has(uid=first.uid, holder="two")).token == 2


async def test_a_declared_holder_whom_a_restore_put_in_doubt_is_given_it_anew(
    leases: Leases,
) -> None:
    first = await leases.has(holder="freeze")
    restored: dict[str, Any] = {
        "holder": "freeze",
        "last_token": 7,
        "last_holder": "declared:freeze",
    }
    again = await leases.has(uid=first.uid, **restored)
    assert (again.state, again.reason, again.token) == ("Held", "", 8)
    assert again.holder == LeaseHolder.declared("freeze")
    assert await leases.told() == [("lease.acquired", 1), ("lease.acquired", 8)]
    lost = await leases.has("lost", **restored)
    assert (lost.state, lost.token) == ("Held", 8 + keeping.LEAP)


async def test_a_declared_holder_waits_where_a_restore_put_another_in_doubt(
    leases: Leases,
) -> None:
    first = await leases.has(holder="freeze")
    row = await leases.has(uid=first.uid, holder="freeze", last_token=7, last_holder="user:bob")
    assert (row.state, row.reason, row.token) == ("Quarantined", "RecordsRestored", 7)


async def test_a_person_hands_on_only_what_is_unclear(
    leases: Leases, operator_store: Store, sidecar_store: Store
) -> None:
    first = await leases.has()
    mine = await leases.takes(ANN)
    with pytest.raises(ConflictError, match="held by user:ann"):
        await sidecar_store.transact(holding.hand_on, PLACE, mine.token, "user:local")
    await leases.has(uid=first.uid, last_token=7, last_holder="user:bob")
    with pytest.raises(ConflictError, match="at token 7"):
        await sidecar_store.transact(holding.hand_on, PLACE, 1, "user:local")
    for _ in range(2):
        freed = await sidecar_store.transact(holding.hand_on, PLACE, 7, "user:local")
        assert (freed.state, freed.former_holder) == ("Expired", "user:bob")
    assert (await leases.takes(ANN)).token == 8


async def test_a_quarantine_ends_by_its_rule(leases: Leases) -> None:
    first = await leases.has(quarantine_seconds=60)
    await leases.has(uid=first.uid, quarantine_seconds=60, last_token=3, last_holder="user:bob")
    await leases.passes(59)
    assert await leases.lapse() == 0
    await leases.passes(2)
    assert await leases.lapse() == 1
    assert (await leases.row()).state == "Expired"
    assert (await leases.last())["reason"] == "QuarantineOver"


async def test_a_reclaim_of_what_was_handed_on_meanwhile_does_nothing(
    leases: Leases, operator_store: Store
) -> None:
    await leases.has()
    mine = await leases.takes(ANN)
    assert not await operator_store.transact(keeping.reclaim, PLACE, mine.token, "PodGone")
    assert (await leases.row()).holder == ANN


async def test_the_api_may_not_make_leases_or_raise_floors(
    leases: Leases, sidecar_store: Store
) -> None:
    await leases.has()
    new = new_lease("other", uid=str(uuid4()))
    with pytest.raises(Exception, match="refused a statement"):
        await sidecar_store.transact(keeping.define, new)
