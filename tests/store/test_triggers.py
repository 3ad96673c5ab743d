"""What came in for Schedules, against a real Postgres: kept once, handled once, read by nobody else."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest

from coxswain.api.triggers import NewTrigger, Remembered
from coxswain.errors import CoxswainError, UnavailableError
from coxswain.store import mirror, triggers, wakes
from coxswain.store.pool import Store
from tests.support import rows
from tests.support.postgres import Database

ID = Remembered("id:msg_1", 600)
BODY = Remembered("body:sha256:00", 600)


def new(uid: str, delivery: str = "msg_1", body: str = "{}") -> NewTrigger:
    return NewTrigger(uid, "team", "nightly", "Webhook", delivery, "sha256:00", body)


async def test_a_delivery_is_kept_once_and_wakes_the_operator(
    gateway_store: Store, operator_store: Store, database: Database
) -> None:
    one = new(str(uuid4()), body='{"a": "ü"}')
    assert await gateway_store.transact(triggers.record, one, [ID])
    assert not await gateway_store.transact(triggers.record, one, [ID])
    found = await operator_store.run(triggers.open_of, [one.schedule_uid])
    (kept,) = found[one.schedule_uid]
    assert (kept.delivery_id, kept.source) == ("msg_1", "Webhook")
    assert await _column(database, "SELECT body FROM triggers") == ['{"a": "ü"}']
    (wake,) = await operator_store.run(wakes.unhandled)
    assert (wake.kind, wake.workspace, wake.name) == ("Schedule", "team", "nightly")


async def test_any_key_of_a_delivery_is_enough_to_know_it(gateway_store: Store) -> None:
    one = new(str(uuid4()))
    assert await gateway_store.transact(triggers.record, one, [ID, BODY])
    for keys in ([ID], [BODY], [Remembered("id:forged", 600), BODY]):
        assert not await gateway_store.transact(triggers.record, one, keys)


async def test_another_schedule_knows_nothing_of_it(gateway_store: Store) -> None:
    for _ in range(2):
        assert await gateway_store.transact(triggers.record, new(str(uuid4())), [ID])


async def test_many_gateways_that_take_the_same_at_once_keep_it_once(
    gateway_store: Store, operator_store: Store
) -> None:
    one = new(str(uuid4()))
    took = await asyncio.gather(
        *(
            gateway_store.transact(triggers.record, one, [BODY, ID][:: 1 - 2 * (n % 2)])
            for n in range(16)
        )
    )
    assert sum(took) == 1
    found = await operator_store.run(triggers.open_of, [one.schedule_uid])
    assert len(found[one.schedule_uid]) == 1


async def test_what_is_known_for_a_while_only_is_new_after_it(
    gateway_store: Store, database: Database
) -> None:
    one = new(str(uuid4()))
    assert await gateway_store.transact(triggers.record, one, [ID])
    await _execute(database, "UPDATE known_deliveries SET until = now() - interval '1 second'")
    assert await gateway_store.transact(triggers.record, one, [ID])
    assert not await gateway_store.transact(triggers.record, one, [ID])


async def test_keys_are_forgotten_when_their_time_is_over_and_not_before(
    gateway_store: Store, database: Database
) -> None:
    uid = str(uuid4())
    for key in ("id:old", "id:young"):
        await gateway_store.transact(triggers.record, new(uid), [Remembered(key, 600)])
    await _execute(
        database, "UPDATE known_deliveries SET until = now() - interval '1 s' WHERE key = 'id:old'"
    )
    await gateway_store.transact(triggers.forget)
    assert await _column(database, "SELECT key FROM known_deliveries") == ["id:young"]


async def test_a_schedule_that_is_full_takes_nothing_and_knows_nothing_of_what_it_refused(
    gateway_store: Store, operator_store: Store, database: Database
) -> None:
    one = new(str(uuid4()))
    await rows.triggers(database.admin, one.schedule_uid, triggers.MOST_OPEN)
    with pytest.raises(UnavailableError, match="wait already") as refused:
        await gateway_store.transact(triggers.record, one, [ID])
    assert refused.value.code == "too_many_waiting"
    (first, *_) = (await operator_store.run(triggers.open_of, [one.schedule_uid]))[one.schedule_uid]
    await operator_store.run(triggers.handle, [first.id])
    assert await gateway_store.transact(triggers.record, one, [ID])


async def test_open_triggers_come_oldest_first_and_only_so_many_of_each_schedule(
    gateway_store: Store, operator_store: Store
) -> None:
    one, other = str(uuid4()), str(uuid4())
    for n in range(4):
        await gateway_store.transact(triggers.record, new(one, f"m{n}"), [])
    await gateway_store.transact(triggers.record, new(other, "x"), [])
    found = await operator_store.run(triggers.open_of, [one, other, str(uuid4())], limit=3)
    assert [each.delivery_id for each in found[one]] == ["m0", "m1", "m2"]
    assert [each.delivery_id for each in found[other]] == ["x"]
    assert sorted(map(len, found.values())) == [0, 1, 3]


async def test_what_is_handled_is_not_read_again_and_goes_after_a_day(
    gateway_store: Store, operator_store: Store, database: Database
) -> None:
    uid = str(uuid4())
    for name in ("old", "young", "open"):
        await gateway_store.transact(triggers.record, new(uid, name), [])
    old, young, left = (await operator_store.run(triggers.open_of, [uid]))[uid]
    await operator_store.transact(triggers.handle, [old.id, young.id])
    assert (await operator_store.run(triggers.open_of, [uid]))[uid] == (left,)
    await _execute(
        database,
        "UPDATE triggers SET received_at = now() - interval '9 days', handled_at = handled_at -"
        " CASE delivery_id WHEN 'old' THEN interval '25 hours' ELSE interval '23 hours' END",
    )
    await gateway_store.transact(triggers.forget)
    assert await _column(database, "SELECT delivery_id FROM triggers ORDER BY 1") == [
        "open",
        "young",
    ]


async def test_what_was_handled_goes_so_many_at_a_time_until_nothing_is_left_of_it(
    gateway_store: Store, database: Database
) -> None:
    await rows.triggers(database.admin, str(uuid4()), 5)
    await _execute(database, "UPDATE triggers SET handled_at = now() - interval '25 hours'")
    assert [await gateway_store.transact(triggers.forget, 2) for _ in range(3)] == [
        True,
        True,
        False,
    ]
    assert await _column(database, "SELECT id FROM triggers") == []


@pytest.mark.parametrize(("hours", "left"), [(23, 1), (25, 0)])
async def test_what_nobody_will_handle_since_its_schedule_is_gone_goes_too(
    gateway_store: Store, operator_store: Store, database: Database, hours: int, left: int
) -> None:
    row = rows.job("nightly", kind="Schedule")
    await operator_store.transact(mirror.write, [row], [])
    await gateway_store.transact(triggers.record, new(row.uid), [])
    await operator_store.transact(mirror.mark_deleted, [row.uid], [])
    gone = f"UPDATE mirror SET deleted_at = now() - interval '{hours} hours'"  # noqa: S608 - a number
    await _execute(database, gone)
    await gateway_store.transact(triggers.forget)
    assert len(await _column(database, "SELECT id FROM triggers")) == left


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT body FROM triggers",
        "UPDATE triggers SET handled_at = now()",
        "DELETE FROM triggers",
        "INSERT INTO triggers (schedule_uid, workspace, schedule_name, source, delivery_id, digest,"
        " received_at) VALUES (gen_random_uuid(), '', '', 'Poll', '', '', now())",
    ],
)
async def test_a_gateway_can_neither_read_nor_settle_nor_date_what_came_in(
    database: Database, statement: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _execute(database, statement, database.gateway)


@pytest.mark.parametrize("role", ["operator", "sidecar"])
async def test_nobody_reads_bodies(database: Database, role: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _execute(database, "SELECT body FROM triggers", getattr(database, role))


@pytest.mark.parametrize("role", ["operator", "sidecar"])
async def test_nobody_but_a_gateway_takes_anything_in(
    operator_store: Store, sidecar_store: Store, role: str
) -> None:
    store = operator_store if role == "operator" else sidecar_store
    with pytest.raises(CoxswainError):
        await store.transact(triggers.record, replace(new(str(uuid4()))), [ID])


async def _execute(database: Database, statement: str, dsn: str | None = None) -> None:
    connection = await asyncpg.connect(dsn or database.admin)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _column(database: Database, statement: str) -> list[object]:
    connection = await asyncpg.connect(database.admin)
    try:
        return [row[0] for row in await connection.fetch(statement)]
    finally:
        await connection.close()
