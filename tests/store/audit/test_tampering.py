"""What the database's own owner can do to sealed rows, and what of it an export shows.

Not found, and shown here as such: rows that were not sealed yet, and an end that was cut off the chain
where no earlier export is at hand.
"""

from typing import Any

import pytest

from coxswain.reconcile.sealing import Sealing
from coxswain.store import audit, pool
from coxswain.store.audit import Query
from coxswain.store.pool import Store
from tests.support import audit_log
from tests.support.audit_log import Line, entry, exported, verified

OPEN = "ALTER TABLE audit DISABLE TRIGGER USER; ALTER TABLE audit_seals DISABLE TRIGGER USER"
FORGED = (
    "INSERT INTO audit (id, workspace, actor_kind, actor_name, action, outcome, seal, place)"
    " VALUES (gen_random_uuid(), 'team', 'user', 'nobody', 'x', 'done', 2, 3)"
)
COUNTED = "UPDATE audit_seals SET rows = 3 WHERE number = 2"


async def open_and_do(owner: Any, deed: str) -> None:
    """As the owner: out of the way with what guards the tables, and then the deed."""
    await owner.execute(OPEN)
    await owner.execute(deed)


@pytest.fixture
async def before(sidecar_store: Store, sealing: Sealing) -> list[Line]:
    """Three seals of two rows, and their export."""
    for _ in range(3):
        for _ in range(2):
            await sidecar_store.run(audit.write, entry())
        await sealing.once()
    found = await exported(sidecar_store)
    assert verified(found).is_sound
    return found


DEEDS = {
    "changes a reason": "UPDATE audit SET reason = 'other' WHERE seal = 2 AND place = 1",
    "changes a time": "UPDATE audit SET at = at - interval '1 second' WHERE seal = 2 AND place = 1",
    "changes an actor": "UPDATE audit SET actor_name = 'ada' WHERE seal = 3 AND place = 2",
    "changes details": "UPDATE audit SET details = '{\"a\": 1}' WHERE seal = 1 AND place = 2",
    "removes a row": "DELETE FROM audit WHERE seal = 2 AND place = 2",
    "removes the first row": "DELETE FROM audit WHERE seal = 1 AND place = 1",
    "removes the last row": "DELETE FROM audit WHERE seal = 3 AND place = 2",
    "takes a row's seal away": "UPDATE audit SET seal = NULL, place = NULL WHERE seal = 2 AND place = 1",
    "reorders rows": "UPDATE audit SET place = place + 2 WHERE seal = 2 AND place = 1",
    "moves a row to another seal": "UPDATE audit SET seal = 1, place = 3 WHERE seal = 2 AND place = 1",
    "moves a row to another workspace": "UPDATE audit SET workspace = 'other' WHERE seal = 2 AND place = 1",
    "adds a row": FORGED,
    "adds a row and counts it": f"{FORGED};{COUNTED}",
    "changes a root": "UPDATE audit_seals SET root = repeat('0', 64) WHERE number = 2",
    "changes the time of a seal": "UPDATE audit_seals SET sealed_at = now() WHERE number = 1",
    "changes a signature": "UPDATE audit_seals SET signature = repeat('0', 128) WHERE number = 3",
    "removes a seal": "DELETE FROM audit WHERE seal = 2; DELETE FROM audit_seals WHERE number = 2",
    "removes the first seal": "DELETE FROM audit WHERE seal = 1; DELETE FROM audit_seals WHERE number = 1",
    "removes a seal and renumbers": "DELETE FROM audit WHERE seal = 2;"
    " DELETE FROM audit_seals WHERE number = 2;"
    " UPDATE audit_seals SET number = 2 WHERE number = 3; UPDATE audit SET seal = 2 WHERE seal = 3",
    "empties a seal as retention does": "UPDATE audit_seals SET dropped_at = now() WHERE number = 2;"
    " DELETE FROM audit WHERE seal = 2",
    "swaps two seals": "UPDATE audit_seals SET number = number + 2 WHERE number = 2;"
    " UPDATE audit_seals SET number = 2 WHERE number = 3;"
    " UPDATE audit_seals SET number = 3 WHERE number = 4",
}


class Inside:
    """A store inside one transaction of the owner, of which nothing stays."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def run(self, operation: Any, *args: Any) -> Any:
        return await operation(self._connection, *args)


async def test_an_export_shows_whatever_the_owner_did(
    owner: Any, sidecar_store: Store, before: list[Line]
) -> None:
    await pool.prepare(owner)
    unseen = []
    for name, deed in DEEDS.items():
        transaction = owner.transaction()
        await transaction.start()
        await open_and_do(owner, deed)
        inside: Any = Inside(owner)
        if verified(await exported(inside)).is_sound:
            unseen.append(name)
        await transaction.rollback()
    assert unseen == []
    assert verified(await exported(sidecar_store)).is_sound


async def test_a_seal_that_was_emptied_in_the_middle_is_seen_where_dropping_is_allowed_too(
    owner: Any, sidecar_store: Store, before: list[Line]
) -> None:
    await open_and_do(owner, DEEDS["empties a seal as retention does"])
    found = verified(await exported(sidecar_store), allow_dropped=True)
    assert [flaw for flaw in found.flaws if "seal 2" in flaw] == found.flaws != []


async def test_the_leader_does_not_heal_what_the_owner_did(
    owner: Any, sidecar_store: Store, sealing: Sealing, before: list[Line]
) -> None:
    await open_and_do(owner, DEEDS["changes a reason"])
    await sidecar_store.run(audit.write, entry())
    await sealing.once()
    found = verified(await exported(sidecar_store), former=audit_log.heads(before))
    assert [flaw for flaw in found.flaws if "seal 2" in flaw] == found.flaws != []


async def test_another_chain_with_a_key_of_the_owners_is_not_sound(
    owner: Any, operator_store: Store, sidecar_store: Store, before: list[Line], tmp_path: Any
) -> None:
    await open_and_do(owner, "UPDATE audit SET seal = NULL; DELETE FROM audit_seals")
    await owner.execute("UPDATE audit SET reason = 'other'")
    forger = await audit_log.sealer(operator_store, tmp_path, audit_log.seed(9))
    await forger.once()
    forged = await exported(sidecar_store)
    assert verified(forged, by=audit_log.keys(9)).is_sound
    assert not verified(forged).is_sound


async def test_a_row_that_is_not_sealed_yet_can_be_changed_unseen(
    owner: Any, sidecar_store: Store, sealing: Sealing, before: list[Line]
) -> None:
    await sidecar_store.run(audit.write, entry(reason="true"))
    await open_and_do(owner, "UPDATE audit SET reason = 'false' WHERE seal IS NULL")
    await sealing.once()
    found = await exported(sidecar_store)
    assert verified(found, former=audit_log.heads(before)).is_sound
    assert "false" in str(found)


async def test_a_cut_end_is_seen_with_an_earlier_export_alone(
    owner: Any, sidecar_store: Store, sealing: Sealing, before: list[Line]
) -> None:
    await open_and_do(
        owner, "DELETE FROM audit WHERE seal = 3; DELETE FROM audit_seals WHERE number = 3"
    )
    cut = await exported(sidecar_store)
    assert verified(cut).is_sound
    assert not verified(cut, former=audit_log.heads(before)).is_sound
    await sidecar_store.run(audit.write, entry())
    await sealing.once()
    forked = verified(await exported(sidecar_store), former=audit_log.heads(before))
    assert any("forked" in flaw for flaw in forked.flaws)


async def test_a_chain_that_was_removed_whole_is_seen_with_an_earlier_export_alone(
    owner: Any, sidecar_store: Store, before: list[Line]
) -> None:
    await open_and_do(owner, "DELETE FROM audit; DELETE FROM audit_seals")
    nothing = await exported(sidecar_store)
    assert verified(nothing).is_sound
    assert not verified(nothing, former=audit_log.heads(before)).is_sound


async def test_an_export_of_a_slice_proves_what_it_shows(
    owner: Any, sidecar_store: Store, sealing: Sealing, before: list[Line]
) -> None:
    await sidecar_store.run(audit.write, entry("cancel_job"))
    await sidecar_store.run(audit.write, entry())
    await sealing.once()
    await sidecar_store.run(audit.write, entry())
    lines = await exported(sidecar_store, Query(action="cancel_job"))
    found = verified(lines)
    assert found.is_sound, found.flaws
    assert (found.seals, found.rows, found.omitted, found.unsealed) == (1, 1, 1, 0)
    await open_and_do(owner, "UPDATE audit SET reason = 'other' WHERE seal = 4 AND place = 2")
    assert not verified(await exported(sidecar_store, Query(action="cancel_job"))).is_sound


async def test_an_export_goes_on_after_a_seal(
    sidecar_store: Store, sealing: Sealing, before: list[Line]
) -> None:
    await sidecar_store.run(audit.write, entry())
    await sealing.once()
    rest = await exported(sidecar_store, Query(workspace="team"), after=3)
    found = verified(rest, former=audit_log.heads(before))
    assert found.is_sound, found.flaws
    assert (found.seals, found.rows) == (2, 1)


async def test_an_export_after_the_last_seal_is_sound_where_nothing_is_new(
    owner: Any, sidecar_store: Store, before: list[Line]
) -> None:
    nothing = await exported(sidecar_store, Query(workspace="team"), after=3)
    found = verified(nothing, former=audit_log.heads(before))
    assert found.is_sound, found.flaws
    assert (found.seals, found.rows, found.heads["team"].number) == (1, 0, 3)
    await open_and_do(
        owner, "DELETE FROM audit WHERE seal = 3; DELETE FROM audit_seals WHERE number = 3"
    )
    cut = await exported(sidecar_store, Query(workspace="team"), after=3)
    assert not verified(cut, former=audit_log.heads(before)).is_sound


async def test_a_slice_of_which_nothing_is_sealed_still_shows_the_head(
    sidecar_store: Store, before: list[Line]
) -> None:
    found = verified(await exported(sidecar_store, Query(action="nothing")))
    assert found.is_sound, found.flaws
    assert (found.seals, found.heads["team"].number) == (1, 3)
