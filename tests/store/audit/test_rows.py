"""Rows are added and never changed, by nobody; those of events come with their events."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from coxswain.api.audit import Actor, AuditEntry, Object, Outcome
from coxswain.errors import CoxswainError, UserError
from coxswain.reconcile.sealing import Sealing
from coxswain.store import audit, events
from coxswain.store.audit import Query
from coxswain.store.pool import Connection, Store
from tests.support import audit_log, rows
from tests.support.audit_log import entry
from tests.support.postgres import Database

UID = "0198f0a0-0000-4000-8000-000000000001"


async def read(store: Store, query: Query = audit_log.ALL) -> list[AuditEntry]:
    page = await store.run(audit.page, query)
    return [row.entry for row in page.rows]


async def test_a_row_comes_back_as_it_was_written_at_the_databases_time(
    sidecar_store: Store,
) -> None:
    given = entry(
        object=Object("Job", "nightly", UID),
        begun_by=audit_log.row(1).entry.id,
        reason="because",
        request_id="r-1",
        hashes={"body": "00"},
        details={"attempt": 2, "steal": True, "phase": None},
    )
    await sidecar_store.run(audit.write, given)
    page = await sidecar_store.run(audit.page, Query())
    assert [row.entry for row in page.rows] == [given]
    assert page.rows[0].at - datetime.now(UTC) < timedelta(seconds=10)
    assert (page.rows[0].seal, page.rows[0].place) == (None, None)


async def test_the_same_row_again_stands_once_as_it_was_first(sidecar_store: Store) -> None:
    first = entry(reason="first")
    await sidecar_store.run(audit.write, first)
    await sidecar_store.run(audit.write, entry(id=first.id, reason="second"))
    assert await read(sidecar_store) == [first]


CHANGES = [
    "UPDATE audit SET reason = 'other'",
    "UPDATE audit SET seal = 1, place = 1",
    "DELETE FROM audit",
    "TRUNCATE audit",
    "UPDATE audit_seals SET root = ''",
    "DELETE FROM audit_seals",
    "TRUNCATE audit_seals",
    "INSERT INTO audit (id, at, actor_kind, actor_name, action, outcome)"
    " VALUES (gen_random_uuid(), now() - interval '1 day', 'user', 'ada', 'x', 'done')",
    "INSERT INTO audit (id, seal, place, actor_kind, actor_name, action, outcome)"
    " VALUES (gen_random_uuid(), 1, 1, 'user', 'ada', 'x', 'done')",
]


@pytest.mark.parametrize("role", ["operator", "sidecar", "gateway"])
async def test_no_role_changes_dates_or_seals_a_row(
    role: str, database: Database, sidecar_store: Store
) -> None:
    await sidecar_store.run(audit.write, entry())
    connection = await asyncpg.connect(getattr(database, role))
    for change in CHANGES:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(change)
    await connection.close()


@pytest.mark.parametrize("role", ["sidecar", "gateway"])
async def test_the_leaders_role_alone_seals_and_drops(role: str, database: Database) -> None:
    connection = await asyncpg.connect(getattr(database, role))
    for call in (
        "drop_audit(now(), 1)",
        "seal_audit('team', 1, '', '', '', now(), '', '', '', '', '{}')",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"SELECT {call}")
    await connection.close()


async def test_the_owner_changes_nothing_by_mistake(
    owner: Any, sidecar_store: Store, sealing: Sealing
) -> None:
    await sidecar_store.run(audit.write, entry())
    await sealing.once()
    for change in CHANGES[:7]:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await owner.execute(change)


async def test_a_row_of_a_transaction_that_is_rolled_back_is_not_there(
    sidecar_store: Store,
) -> None:
    async def broken(connection: Connection) -> None:
        await audit.write(connection, entry())
        raise UserError("changed my mind")

    with pytest.raises(UserError):
        await sidecar_store.transact(broken)
    assert await read(sidecar_store) == []


@pytest.mark.parametrize(
    "fields",
    [{"reason": "x" * 4097}, {"details": {"x": "y" * 9000}}, {"action": ""}],
    ids=["reason", "details", "action"],
)
async def test_a_row_is_bounded(fields: dict[str, Any], sidecar_store: Store) -> None:
    with pytest.raises(CoxswainError):
        await sidecar_store.run(audit.write, entry(**fields))


async def test_rows_are_found_by_time_actor_object_and_action(sidecar_store: Store) -> None:
    ours = entry("create_job", object=Object("Job", "nightly", UID))
    others = [
        entry("cancel_job", actor=Actor("user", "ada")),
        entry(workspace="other", actor=Actor("agent", "other/reader")),
        entry(object=Object("Lease", "deploy"), outcome=Outcome.DENIED),
    ]
    for each in (ours, *others):
        await sidecar_store.run(audit.write, each)
    instant = (await sidecar_store.run(audit.page, Query())).rows[1].at
    for query, wanted in [
        (Query(), [*reversed(others), ours]),
        (Query(workspace="other"), [others[1]]),
        (Query(actor_kind="user", actor_name="ada"), [others[0]]),
        (Query(actor_kind="agent"), [others[1]]),
        (Query(object_kind="Lease", object_name="deploy"), [others[2]]),
        (Query(object_uid=UID), [ours]),
        (Query(action="cancel_job"), [others[0]]),
        (Query(outcome=Outcome.DENIED), [others[2]]),
        (Query(since=instant), [others[2], others[1]]),
        (Query(until=instant), [others[0], ours]),
    ]:
        assert await read(sidecar_store, query) == wanted, query


async def test_pages_go_on_where_the_former_ended(sidecar_store: Store) -> None:
    given = [entry(f"a{'b' * number}") for number in range(5)]
    for each in given:
        await sidecar_store.run(audit.write, each)
    found: list[AuditEntry] = []
    cursor = None
    while True:
        page = await sidecar_store.run(audit.page, Query(), cursor, limit=2)
        found += [row.entry for row in page.rows]
        if (cursor := page.next) is None:
            break
    assert found == given[::-1]


def told(kind: str, **details: Any) -> events.Event:
    return rows.event(
        kind,
        actor="agent:team/reader",
        workspace="team",
        kind="Job",
        name="first",
        uid=UID,
        attempt=2,
        details=details,
    )


async def test_a_call_of_a_tool_has_a_row_with_hashes_of_what_went_in_and_came_out(
    sidecar_store: Store,
) -> None:
    call = told("run.tool_call", id="c1", name="shell", arguments='{"command": "ls"}')
    whole = hashlib.sha256(b"the whole result").hexdigest()
    result = told("run.tool_result", id="c1", name="shell", outcome="ok", text="t", sha256=whole)
    broken = told("run.tool_result", id="c2", name="shell", outcome="error", text="no")
    await sidecar_store.run(events.append, [call, result, broken])
    found = {each.id: each for each in await read(sidecar_store)}
    made = found[call.id]
    assert made == AuditEntry(
        id=call.id,
        action="run.tool_call",
        outcome=Outcome.BEGUN,
        actor=Actor("agent", "team/reader"),
        workspace="team",
        object=Object("Job", "first", UID),
        hashes={"arguments": hashlib.sha256(b'{"command": "ls"}').hexdigest()},
        details={"id": "c1", "name": "shell", "attempt": 2},
    )
    assert (found[result.id].outcome, found[result.id].hashes) == (Outcome.DONE, {"result": whole})
    assert found[broken.id].outcome is Outcome.FAILED
    assert found[broken.id].hashes == {"result": hashlib.sha256(b"no").hexdigest()}


@pytest.mark.parametrize(
    ("event", "outcome", "details"),
    [
        (
            told("run.egress.refused", code="host_not_listed", message="no", host="a.b", port=443),
            Outcome.DENIED,
            {"code": "host_not_listed", "host": "a.b", "port": "443", "attempt": 2},
        ),
        (told("run.approval.asked", tool="t"), Outcome.BEGUN, {"tool": "t", "attempt": 2}),
        (
            told("run.approval.ended", tool="t", state="Approved"),
            Outcome.DONE,
            {"tool": "t", "state": "Approved", "attempt": 2},
        ),
        (
            told("run.approval.ended", tool="t", state="ApprovalDenied"),
            Outcome.DENIED,
            {"tool": "t", "state": "ApprovalDenied", "attempt": 2},
        ),
        (
            told("lease.acquired", token=3, holder="user:ada"),
            Outcome.DONE,
            {"token": "3", "holder": "user:ada", "attempt": 2},
        ),
    ],
    ids=lambda each: each.type if isinstance(each, events.Event) else "",
)
async def test_an_event_that_is_somebodys_act_has_a_row(
    event: events.Event, outcome: Outcome, details: dict[str, Any], sidecar_store: Store
) -> None:
    await sidecar_store.run(events.append, [event])
    (found,) = await read(sidecar_store)
    assert (found.id, found.action) == (event.id, event.type)
    assert (found.outcome, found.details) == (outcome, details)


async def test_the_reason_of_a_lease_that_was_taken_away_is_in_its_row(
    sidecar_store: Store,
) -> None:
    await sidecar_store.run(events.append, [told("lease.reclaimed", reason="its holder is gone")])
    (found,) = await read(sidecar_store)
    assert found.reason == "its holder is gone"


async def test_a_repeat_of_an_event_has_no_second_row_and_other_events_have_none(
    sidecar_store: Store,
) -> None:
    call = told("run.tool_call", id="c1", name="shell", arguments="{}")
    for _ in range(2):
        await sidecar_store.run(events.append, [call, told("run.output", text="x")])
    assert len(await read(sidecar_store)) == 1


async def test_an_event_with_the_worst_content_is_kept_and_its_row_is_bounded(
    sidecar_store: Store,
) -> None:
    worst = "\u0001\U0001f600" * 5000
    given = dict.fromkeys(
        ("id", "name", "tool", "state", "code", "host", "port", "outcome", "sha256", "arguments"),
        worst,
    )
    await sidecar_store.run(events.append, [told("run.tool_call", **given)])
    (found,) = await read(sidecar_store)
    assert len(str(found.details["name"])) == 100
    await sidecar_store.run(events.append, [told("run.tool_call", name={"deep": [1]}, id=7)])
    assert len(await read(sidecar_store)) == 2
