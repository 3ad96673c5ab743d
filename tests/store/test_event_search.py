"""The log by time, and by what matters to security: at the source, with every other filter."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from coxswain.errors import CoxswainError
from coxswain.store import event_search, events, uuid7
from coxswain.store.event_search import Search
from coxswain.store.events import WINDOW, Event, Filter
from coxswain.store.pool import Store
from tests.support.postgres import Database
from tests.support.rows import event

NOW = datetime.now(UTC)
REFUSED = "run.egress.refused"


def at(when: datetime, name: str = "user.note", **fields: Any) -> Event:
    return event(name, id=uuid7.new(when), **fields)


async def found(store: Store, search: Search, *, limit: int = 100) -> list[int]:
    """The positions that all pages together give."""
    positions: list[int] = []
    after = 0
    while True:
        page = await store.run(event_search.page, after, search, limit=limit)
        positions += [each.position for each in page.events]
        if not page.more:
            return positions
        after = page.next


async def test_what_happened_before_a_time_is_left_out_whenever_it_was_written(
    operator_store: Store,
) -> None:
    days = [timedelta(days=30), timedelta(days=3), timedelta(minutes=1), timedelta(days=3)]
    for each in days:
        await operator_store.run(events.append, [at(NOW - each)])
    for since, wanted in [
        (NOW - timedelta(days=40), [1, 2, 3, 4]),
        (NOW - timedelta(days=3, seconds=1), [2, 3, 4]),
        (NOW - timedelta(days=2), [3]),
        (NOW, []),
        (datetime(1900, 1, 1, tzinfo=UTC), [1, 2, 3, 4]),
        (datetime(9999, 1, 1, tzinfo=UTC), []),
    ]:
        for limit in (1, 100):
            search = Search(Filter(), since)
            assert await found(operator_store, search, limit=limit) == wanted, since


async def test_a_time_goes_with_every_other_filter(operator_store: Store) -> None:
    uid = str(uuid4())
    about: dict[str, Any] = {"uid": uid, "attempt": 2, "workspace": "team", "actor": "agent:team/a"}
    old = NOW - timedelta(days=1)
    batch = [at(old, **about), at(NOW, **about), at(NOW, "user.other", **about), at(NOW)]
    await operator_store.run(events.append, [*batch, at(NOW, **about | {"attempt": 1})])
    since = NOW - timedelta(hours=1)
    for which, wanted in [
        (Filter(type="user.note"), [2, 4, 5]),
        (Filter(type="user."), [2, 3, 4, 5]),
        (Filter(type="user.other,job."), [3]),
        (Filter(agent="a"), [2, 3, 5]),
        (Filter(workspace="team"), [2, 3, 5]),
        (Filter(workspaces=frozenset({"other"})), []),
        (Filter(uid=uid), [2, 3, 5]),
        (Filter(uid=uid, attempt=2), [2, 3]),
    ]:
        assert await found(operator_store, Search(which, since)) == wanted, which


def test_whatever_a_filter_leaves_out_a_search_leaves_out_too() -> None:
    # A field that is added there has to be asked for by the statements here.
    known = {"type", "workspace", "workspaces", "uid", "attempt", "agent"}
    assert {each.name for each in fields(Filter)} == known


async def test_days_before_the_time_are_not_even_read(database: Database) -> None:
    connection = await asyncpg.connect(database.owner)
    since = NOW - timedelta(days=1)
    plan = await connection.fetch(
        f"EXPLAIN {event_search._BY_TIME}",
        *(0, 10, None, None, None, None, None),
        *(10, since, None, None, False),
    )
    await connection.close()
    text = "\n".join(row[0] for row in plan)
    today, before = (f"events_{day:%Y%m%d}" for day in (NOW, NOW - timedelta(days=2)))
    assert today in text
    assert before not in text


async def test_what_matters_to_security_is_found_with_every_other_filter(
    operator_store: Store,
) -> None:
    old = NOW - timedelta(days=2)
    batch = [
        *(at(old, REFUSED, workspace="team"), at(NOW, workspace="team")),
        *(at(NOW, REFUSED, workspace="team"), at(NOW, "approval.given", workspace="other")),
    ]
    await operator_store.run(events.append, batch)
    for search, wanted in [
        (Search(Filter(), is_security=True), [1, 3, 4]),
        (Search(Filter(), NOW - timedelta(days=1), is_security=True), [3, 4]),
        (Search(Filter(type="run."), is_security=True), [1, 3]),
        (Search(Filter(type="user.note,approval.given"), is_security=True), [4]),
        (Search(Filter(agent="a"), is_security=True), []),
        (Search(Filter(workspaces=frozenset({"other"})), is_security=True), [4]),
        (Search(Filter(workspace="nowhere"), is_security=True), []),
    ]:
        for limit in (1, 100):
            assert await found(operator_store, search, limit=limit) == wanted, search


async def test_a_search_looks_at_so_many_events_at_once_and_no_more_whatever_passes(
    operator_store: Store,
) -> None:
    uid = str(uuid4())
    batch = [at(NOW, REFUSED, uid=uid) for _ in range(WINDOW + 5)]
    await operator_store.run(events.append, [*batch, at(NOW, "approval.given", uid=uid)])
    other = Filter(type="approval.")
    for search in (
        Search(other, is_security=True),
        Search(other, NOW - timedelta(days=1)),
        Search(replace(other, uid=uid), NOW - timedelta(days=1)),
        Search(replace(other, uid=uid), is_security=True),
    ):
        first = await operator_store.run(event_search.page, 0, search, limit=10)
        assert (first.events, first.next, first.more) == ((), WINDOW, True), search
        assert await found(operator_store, search, limit=10) == [WINDOW + 6]


async def test_what_lies_between_is_not_looked_at_for_one_object_or_for_security(
    operator_store: Store,
) -> None:
    uid = str(uuid4())
    batch = [at(NOW) for _ in range(WINDOW + 5)]
    await operator_store.run(events.append, [*batch, at(NOW, REFUSED, uid=uid, attempt=2)])
    which = Filter(uid=uid, attempt=2)
    for search in (
        Search(which, NOW - timedelta(days=1)),
        Search(which, is_security=True),
        Search(Filter(), is_security=True),
    ):
        page = await operator_store.run(event_search.page, 0, search, limit=10)
        assert [each.position for each in page.events] == [WINDOW + 6], search
        assert not page.more


@pytest.mark.parametrize("is_of_object", [True, False])
async def test_a_search_goes_by_an_index_of_what_it_looks_for(
    database: Database, operator_store: Store, is_of_object: bool
) -> None:
    uid = str(uuid4())
    batch = [at(NOW, uid=str(uuid4())) for _ in range(2000)]
    await operator_store.run(events.append, [*batch, at(NOW, REFUSED, uid=uid)])
    statement = event_search._OF_OBJECT if is_of_object else event_search._OF_SECURITY
    place = (uid, None, False) if is_of_object else (None, None, True)
    connection = await asyncpg.connect(database.owner)
    await connection.execute("ANALYZE events")
    index = await connection.fetchval(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = $1::text::regclass"
        " AND pg_get_indexdef(indexrelid) LIKE $2",
        f"events_{NOW:%Y%m%d}",
        "%(uid, %" if is_of_object else "%WHERE is_security%",
    )
    plan = await connection.fetch(
        f"EXPLAIN {statement}",
        *(0, WINDOW, None, None, None, None, None),
        *(10, NOW - timedelta(days=1), *place),
    )
    await connection.close()
    text = "\n".join(row[0] for row in plan)
    assert index in text
    assert f"Seq Scan on events_{NOW:%Y%m%d}" not in text


async def test_a_last_page_goes_on_at_the_end_of_the_log(operator_store: Store) -> None:
    await operator_store.run(events.append, [at(NOW, REFUSED), at(NOW), at(NOW)])
    search = Search(Filter(), is_security=True)
    page = await operator_store.run(event_search.page, 0, search, limit=10)
    assert (len(page.events), page.next, page.more) == (1, 3, False)


async def test_the_log_takes_no_type_that_is_not_registered(sidecar_store: Store) -> None:
    for name in ("job.sang", "run.nothing", "user", ""):
        with pytest.raises(CoxswainError, match="no type of event"):
            await sidecar_store.run(events.append, [event(), event(name)])
    assert await sidecar_store.run(events.head) == 0


async def test_an_event_keeps_the_version_of_its_type(sidecar_store: Store) -> None:
    given = event(version=3)
    await sidecar_store.run(events.append, [given, event()])
    page = await sidecar_store.run(events.after, 0)
    assert [each.event.version for each in page.events] == [3, 1]


async def test_a_process_of_the_version_before_still_appends(
    database: Database, sidecar_store: Store
) -> None:
    connection = await asyncpg.connect(database.sidecar)
    row = await connection.fetchrow(
        "SELECT last_position, accepted FROM append_events($1, $2, $3, $4, $5, $6, $7, $8, $9,"
        " $10, $11)",
        *([event().id], [REFUSED], ["egress"], ["team"], ["Job"], ["first"]),
        *([None], [None], [None], ["{}"], False),
    )
    await connection.close()
    assert row is not None
    assert dict(row) == {"last_position": 1, "accepted": 1}
    page = await sidecar_store.run(events.after, 0)
    assert [each.event.version for each in page.events] == [1]
