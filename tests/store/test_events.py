import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from coxswain.errors import CoxswainError, UserError
from coxswain.store import events, partitions, uuid7
from coxswain.store.events import Filter, Resync
from coxswain.store.pool import Connection, Store
from tests.support.postgres import Database, opened
from tests.support.rows import event

NOW = datetime.now(UTC)


async def test_positions_count_up_in_the_order_of_the_batch(sidecar_store: Store) -> None:
    batch = [event("user.a"), event("user.b"), event("user.c")]
    appended = await sidecar_store.run(events.append, batch)
    page = await sidecar_store.run(events.after, 0)
    assert (appended.accepted, appended.last_position) == (3, 3)
    assert [(each.position, each.event.type) for each in page.events] == [
        (1, "user.a"),
        (2, "user.b"),
        (3, "user.c"),
    ]


async def test_an_event_comes_back_as_it_was_given(sidecar_store: Store) -> None:
    given = event(
        workspace="team",
        kind="Job",
        name="first",
        uid="0198f0a0-0000-4000-8000-000000000001",
        attempt=2,
        seq=7,
        details={"text": "caf\u00e9", "deep": [1, {"x": None}], "big": 10**40},
    )
    await sidecar_store.run(events.append, [given])
    page = await sidecar_store.run(events.after, 0)
    assert page.events[0].event == given
    assert page.events[0].at == uuid7.time_of(given.id)


async def test_a_repeated_id_takes_no_position_and_changes_nothing(sidecar_store: Store) -> None:
    first = event("user.first")
    await sidecar_store.run(events.append, [first])
    again = event("user.other", id=first.id)
    appended = await sidecar_store.run(events.append, [again, event("user.new"), again])
    page = await sidecar_store.run(events.after, 0)
    assert appended.accepted == 1
    assert [(each.position, each.event.type) for each in page.events] == [
        (1, "user.first"),
        (2, "user.new"),
    ]


async def test_an_id_twice_in_one_batch_stands_once(sidecar_store: Store) -> None:
    twice = event()
    appended = await sidecar_store.run(events.append, [twice, event(), twice])
    assert (appended.accepted, appended.last_position) == (2, 2)


async def test_a_rolled_back_batch_leaves_no_hole(sidecar_store: Store) -> None:
    async def broken(connection: Connection) -> None:
        await events.append(connection, [event(), event()])
        raise UserError("changed my mind")

    with pytest.raises(UserError):
        await sidecar_store.transact(broken)
    appended = await sidecar_store.run(events.append, [event()])
    assert appended.last_position == 1


async def test_a_polling_reader_never_skips_while_many_write(database: Database) -> None:
    writers, batches, size = 6, 20, 5
    async with opened(database.sidecar, connections=10) as store:

        async def write() -> None:
            for _ in range(batches):
                await store.run(events.append, [event() for _ in range(size)])

        async def read() -> list[int]:
            seen: list[int] = []
            while len(seen) < writers * batches * size:
                page = await store.run(events.after, seen[-1] if seen else 0)
                seen.extend(each.position for each in page.events)
            return seen

        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            reader = group.create_task(read())
            for _ in range(writers):
                group.create_task(write())
    assert reader.result() == list(range(1, writers * batches * size + 1))


async def test_the_same_batch_from_many_at_once_stands_once(sidecar_store: Store) -> None:
    batch = [event() for _ in range(10)]
    results = await asyncio.gather(*(sidecar_store.run(events.append, batch) for _ in range(8)))
    page = await sidecar_store.run(events.after, 0)
    assert sum(each.accepted for each in results) == 10
    assert [each.position for each in page.events] == list(range(1, 11))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET type = 'user.forged'",
        "DELETE FROM events",
        "TRUNCATE events",
        "TRUNCATE events_other",
        "UPDATE events_other SET type = 'user.forged'",
    ],
)
@pytest.mark.parametrize("role", ["owner", "operator", "sidecar", "gateway"])
async def test_the_log_refuses_change_to_everybody(
    module_database: Database, role: str, statement: str
) -> None:
    async with opened(module_database.sidecar) as store:
        await store.run(events.append, [event(), event(id=uuid7.new(NOW - timedelta(days=40)))])
    connection = await asyncpg.connect(getattr(module_database, role))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("role", ["operator", "sidecar", "gateway"])
async def test_nobody_inserts_around_the_head(module_database: Database, role: str) -> None:
    connection = await asyncpg.connect(getattr(module_database, role))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(
                "INSERT INTO events (id, position, at, type, actor)"
                " VALUES (gen_random_uuid(), 1, now(), 'x', 'x')"
            )
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE event_head SET position = 0")
    finally:
        await connection.close()


@pytest.mark.parametrize("away", [timedelta(minutes=11), timedelta(days=-7, minutes=-1)])
async def test_a_door_refuses_times_too_far_away(sidecar_store: Store, away: timedelta) -> None:
    late = event(id=uuid7.new(datetime.now(UTC) + away))
    with pytest.raises(UserError) as refused:
        await sidecar_store.run(events.append, [event(), late], windowed=True)
    assert refused.value.code == "event_time"
    assert (await sidecar_store.run(events.after, 0)).events == ()


@pytest.mark.parametrize("away", [timedelta(minutes=9), timedelta(days=-6, hours=-23)])
async def test_a_door_takes_times_within_the_window(sidecar_store: Store, away: timedelta) -> None:
    near = event(id=uuid7.new(datetime.now(UTC) + away))
    appended = await sidecar_store.run(events.append, [near], windowed=True)
    assert appended.accepted == 1


async def test_our_own_late_edges_are_kept_and_found_again(operator_store: Store) -> None:
    at = NOW - timedelta(days=30)
    edge = event("job.failed", id=events.derived_id("uid", 1, "failed", at))
    first = await operator_store.run(events.append, [edge])
    second = await operator_store.run(events.append, [edge])
    assert (first.accepted, second.accepted) == (1, 0)


@pytest.mark.parametrize(
    "value",
    ["nul \x00 here", "\ud800", float("nan"), float("inf")],
    ids=["nul", "surrogate", "nan", "inf"],
)
async def test_a_value_that_the_database_cannot_keep_is_the_callers_fault(
    sidecar_store: Store, value: object
) -> None:
    with pytest.raises(UserError):
        await sidecar_store.run(events.append, [event(details={"text": value})])


async def test_reads_filter_by_type_prefix_workspace_and_object(sidecar_store: Store) -> None:
    uid = "0198f0a0-0000-4000-8000-000000000001"
    await sidecar_store.run(
        events.append,
        [
            event("job.created", workspace="team", uid=uid),
            event("job.queued", workspace="other"),
            event("user.job.other", workspace="team"),
            event("run.output", workspace="team", uid=uid, attempt=1),
            event("run.output", workspace="team", uid=uid, attempt=2),
        ],
    )

    async def positions(which: Filter) -> list[int]:
        page = await sidecar_store.run(events.after, 0, which)
        return [each.position for each in page.events]

    assert await positions(Filter(type="job.")) == [1, 2]
    assert await positions(Filter(type="job.queued")) == [2]
    assert await positions(Filter(type="jo")) == []
    assert await positions(Filter(workspace="team")) == [1, 3, 4, 5]
    assert await positions(Filter(type="job.", workspace="team")) == [1]
    assert await positions(Filter(uid=uid)) == [1, 4, 5]
    assert await positions(Filter(uid=uid, type="run.", attempt=2)) == [5]


async def test_pages_go_on_where_the_last_one_ended(sidecar_store: Store) -> None:
    await sidecar_store.run(events.append, [event(f"user.n{n}") for n in range(7)])
    first = await sidecar_store.run(events.after, 0, limit=3)
    second = await sidecar_store.run(events.after, first.next, limit=3)
    third = await sidecar_store.run(events.after, second.next, limit=3)
    assert [page.more for page in (first, second, third)] == [True, True, False]
    assert [each.position for page in (first, second, third) for each in page.events] == list(
        range(1, 8)
    )


async def test_a_filtered_page_ends_at_the_last_event_that_it_gives(sidecar_store: Store) -> None:
    kinds = ["user.a", "user.b"] * 4
    await sidecar_store.run(events.append, [event(kind) for kind in kinds])
    first = await sidecar_store.run(events.after, 0, Filter(type="user.a"), limit=2)
    second = await sidecar_store.run(events.after, first.next, Filter(type="user.a"), limit=9)
    assert [each.position for each in first.events] == [1, 3]
    assert first.more
    assert [each.position for each in second.events] == [5, 7]
    assert (second.next, second.more) == (8, False)


async def test_every_place_of_the_log_is_a_place_to_go_on_from(sidecar_store: Store) -> None:
    await sidecar_store.run(events.append, [event(), event()])
    assert [await sidecar_store.run(events.locate, place) for place in (0, 1, 2)] == [None] * 3


async def test_a_position_of_the_future_is_refused(sidecar_store: Store) -> None:
    await sidecar_store.run(events.append, [event()])
    with pytest.raises(UserError) as refused:
        await sidecar_store.run(events.locate, 2)
    assert refused.value.code == "position_unknown"


async def test_positions_leap_after_a_failover_and_lost_ones_ask_for_a_resync(
    database: Database,
) -> None:
    async with opened(database.sidecar) as store:
        await store.run(events.append, [event(), event()])
        await _as_owner(database, "UPDATE event_head SET timeline = timeline + 1")
        # A reader that had seen more of the lost server than was saved, before any new event.
        resync = await store.run(events.locate, 5)
        assert isinstance(resync, Resync)
        appended = await store.run(events.append, [event()])
        assert appended.last_position == 2 + 2**32 + 1
        page = await store.run(events.after, 2)
    assert [each.position for each in page.events] == [2**32 + 3]


async def test_a_dropped_day_answers_with_the_oldest_position_kept(database: Database) -> None:
    today = datetime.now(UTC)
    long_ago = today - timedelta(days=20)
    async with opened(database.owner) as owner, opened(database.sidecar) as store:
        await owner.transact(partitions.make, long_ago.date())
        old = [event(id=uuid7.new(long_ago)) for _ in range(3)]
        await store.run(events.append, [*old, event(), event()])
        dropped = await owner.run(_drop_before, today)
        assert dropped > 0
        assert await store.run(events.locate, 2) == Resync(oldest=4, head=5)
        assert await store.run(events.locate, 3) is None
        page = await store.run(events.after, 0)
    assert [each.position for each in page.events] == [4, 5]


async def test_the_platform_cannot_drop_days(operator_store: Store) -> None:
    with pytest.raises(CoxswainError) as refused:
        await operator_store.run(_drop_before, NOW)
    assert refused.value.code == "database_refused"


async def test_todays_events_lie_in_todays_partition(database: Database) -> None:
    async with opened(database.sidecar) as store:
        await store.transact(partitions.make, datetime.now(UTC).date())
        given = event()
        await store.run(events.append, [given])
    day = uuid7.time_of(given.id).strftime("%Y%m%d")
    connection = await asyncpg.connect(database.owner)
    try:
        where = await connection.fetchval("SELECT tableoid::regclass::text FROM events")
    finally:
        await connection.close()
    assert where == f"events_{day}"


async def test_days_are_made_once_whoever_makes_them(sidecar_store: Store) -> None:
    far = (NOW + timedelta(days=100)).date()
    made = await asyncio.gather(*(sidecar_store.transact(partitions.make, far) for _ in range(4)))
    assert sorted(made) == [0, 0, 0, 15]


async def test_a_day_that_began_in_the_net_stays_there(sidecar_store: Store) -> None:
    far = NOW + timedelta(days=200)
    early = event(id=uuid7.new(far))
    await sidecar_store.run(events.append, [early])
    assert await sidecar_store.transact(partitions.make, far.date()) == 14
    assert (await sidecar_store.run(events.append, [early])).accepted == 0


def test_a_derived_id_is_the_same_for_the_same_edge_only() -> None:
    one = events.derived_id("uid", 1, "failed", NOW)
    assert one == events.derived_id("uid", 1, "failed", NOW)
    others = {
        events.derived_id("uid", 2, "failed", NOW),
        events.derived_id("uid", 1, "running", NOW),
        events.derived_id("other", 1, "failed", NOW),
    }
    assert one not in others
    assert len(others) == 3


def test_ids_carry_their_time_and_say_who_may_make_them() -> None:
    random, derived = uuid7.new(NOW), events.derived_id("uid", 1, "failed", NOW)
    assert abs(uuid7.time_of(random) - NOW) < timedelta(milliseconds=1)
    assert uuid7.time_of(derived) == uuid7.time_of(random)
    assert uuid7.is_random(random)
    assert not uuid7.is_random(derived)
    assert not uuid7.is_random(UUID(int=0))


async def _as_owner(database: Database, statement: str) -> None:
    connection = await asyncpg.connect(database.owner)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _drop_before(connection: Connection, day: datetime) -> int:
    dropped: int = await connection.fetchval("SELECT drop_event_days($1)", day.date())
    return dropped
