"""Leases as objects: the operator shows who holds them, reclaims what is over, and forgets no token."""

from datetime import datetime
from typing import Any

import pytest

from coxswain.api.conditions import ConditionType, find
from coxswain.api.kind import Lease
from coxswain.api.records import LeaseHolder
from coxswain.errors import ConflictError
from coxswain.kube import paths
from coxswain.store.leases import holding, rows
from coxswain.store.leases.holding import Holding, Refused, Wanted
from coxswain.store.pool import Connection
from tests.support import builders
from tests.support.workspace import Ledger, Workspace

pytestmark = pytest.mark.usefixtures("operator")

ANN = LeaseHolder.of_user("ann", None)
BOB = LeaseHolder.of_user("bob", None)


async def takes(ledger: Ledger, workspace: Workspace, who: LeaseHolder, **more: Any) -> int:
    """Take the lease through the API's store; its token."""
    wanted = Wanted(workspace.namespace, "deploy", who, who.text, **more)
    answer = await ledger.store.transact(holding.acquire, wanted)
    if isinstance(answer, Refused):
        raise answer.why
    return answer.token


async def is_over(ledger: Ledger, workspace: Workspace) -> datetime:
    """Let its holder's time be over now, by the database's clock; when that is."""

    async def over(connection: Connection) -> datetime:
        at: datetime = await connection.fetchval(
            "UPDATE leases SET expires_at = clock_timestamp() WHERE workspace = $1"
            " RETURNING expires_at",
            workspace.namespace,
        )
        return at

    return await ledger.store.transact(over)


def state(lease: Lease) -> tuple[Any, str | None, int]:
    return lease.status.state, lease.status.holder, lease.status.token


def condition(lease: Lease) -> tuple[str, str]:
    found = find(lease.status.conditions, ConditionType.READY)
    assert found is not None
    return found.status, found.reason


async def test_a_lease_shows_each_holder_and_no_renewal(
    workspace: Workspace, ledger: Ledger
) -> None:
    made = await workspace.has_lease()
    assert state(made) == ("Free", None, 0)
    token = await takes(ledger, workspace, ANN)
    shown = await workspace.lease_is(lambda lease: lease.status.holder == "user:ann")
    assert state(shown) == ("Held", "user:ann", 1)
    mine = Holding((workspace.namespace, "deploy"), ANN, token)
    for _ in range(20):
        await ledger.store.transact(holding.renew, [mine])
    await ledger.store.transact(holding.release, mine, "user:ann")
    freed = await workspace.lease_is(lambda lease: lease.status.state == "Free")
    # One write for each change: taken, let go.
    assert state(freed) == ("Free", None, 1)
    assert condition(freed) == ("True", "Free")
    events = [each.event.type for each in await ledger.events(made.metadata.uid, "user:ann")]
    assert events == ["lease.acquired", "lease.released"]


async def test_a_stale_lease_is_reclaimed_within_two_seconds_with_its_former_holder(
    workspace: Workspace, ledger: Ledger
) -> None:
    made = await workspace.has_lease()
    await takes(ledger, workspace, ANN)
    await workspace.lease_is(lambda lease: lease.status.holder == "user:ann")
    over = await is_over(ledger, workspace)
    freed = await workspace.lease_is(lambda lease: lease.status.state == "Expired")
    assert state(freed) == ("Expired", None, 1)
    (reclaimed,) = [
        each
        for each in await ledger.events(made.metadata.uid)
        if each.event.type == "lease.reclaimed"
    ]
    assert (reclaimed.recorded_at - over).total_seconds() < 2.0
    assert reclaimed.event.details["formerHolder"] == "user:ann"
    assert await takes(ledger, workspace, BOB) == 2


async def test_a_declared_holder_is_applied_and_taken_out_again(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_lease(holder="freeze")
    held = await workspace.lease_is(lambda lease: lease.status.holder is not None)
    assert state(held) == ("Held", "declared:freeze", 1)
    assert held.status.expires_at is None
    with pytest.raises(ConflictError, match="held by declared:freeze"):
        await takes(ledger, workspace, ANN)
    await workspace.apply(builders.lease())
    freed = await workspace.lease_is(lambda lease: lease.status.state == "Free")
    assert state(freed) == ("Free", None, 1)
    assert await takes(ledger, workspace, ANN) == 2


async def test_the_token_counts_on_when_the_object_is_made_anew(
    workspace: Workspace, ledger: Ledger
) -> None:
    first = await workspace.has_lease()
    await takes(ledger, workspace, ANN)
    await workspace.lease_is(lambda lease: lease.status.token == 1)
    await workspace.delete("leases", "deploy")
    types = await ledger.until(first.metadata.uid, "lease.deleted")
    assert "lease.created" in types
    again = await workspace.has_lease()
    assert again.metadata.uid != first.metadata.uid
    assert state(await workspace.lease_is(lambda lease: lease.status.token == 1))[0] == "Free"
    assert await takes(ledger, workspace, BOB) == 2


async def test_records_that_were_restored_from_before_a_hand_over_give_no_token_twice(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_lease()
    for who in (ANN, BOB, ANN):
        token = await takes(ledger, workspace, who)
        if token < 3:
            mine = Holding((workspace.namespace, "deploy"), who, token)
            await ledger.store.transact(holding.release, mine, who.text)
    await workspace.lease_is(lambda lease: lease.status.token == 3)

    async def restored(connection: Connection) -> None:
        await connection.execute(
            "UPDATE leases SET token = 1, holder = 'user:bob' WHERE workspace = $1",
            workspace.namespace,
        )

    await ledger.store.transact(restored)
    await workspace.patch("leases", "deploy", {"metadata": {"annotations": {"looked": "1"}}})
    doubted = await workspace.lease_is(lambda lease: lease.status.state == "Quarantined")
    assert state(doubted) == ("Quarantined", "user:ann", 3)
    assert condition(doubted) == ("False", "RecordsRestored")
    place = (workspace.namespace, "deploy")
    await ledger.store.transact(holding.hand_on, place, 3, "user:local")
    assert await takes(ledger, workspace, BOB) == 4


async def test_two_leases_of_one_resource_are_told_apart_until_one_is_gone(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_lease("one", resource="git:main")
    await workspace.apply(builders.lease("two").with_spec(resource="git:main"))
    taken = await workspace.lease_is(lambda lease: bool(lease.status.conditions), "two")
    assert condition(taken) == ("False", "ResourceTaken")
    place = (workspace.namespace, "two")
    assert await ledger.store.run(rows.of, [place]) == {}


async def test_who_waits_is_counted(workspace: Workspace, ledger: Ledger) -> None:
    await workspace.has_lease()
    await takes(ledger, workspace, ANN)
    with pytest.raises(ConflictError):
        await takes(ledger, workspace, BOB, wait_seconds=10)
    await workspace.lease_is(lambda lease: lease.status.waiters == 1)


async def test_a_lease_is_found_by_its_holder(workspace: Workspace, ledger: Ledger) -> None:
    await workspace.has_lease()
    await workspace.has_lease("other")
    await takes(ledger, workspace, ANN)
    await workspace.lease_is(lambda lease: lease.status.holder == "user:ann")
    path = paths.collection("leases", workspace.namespace)
    for selector in ("status.holder=user:ann", "status.state=Held", "spec.resource=git:deploy"):
        found = await workspace.client.get(path, {"fieldSelector": selector})
        assert [each["metadata"]["name"] for each in found["items"]] == ["deploy"]
