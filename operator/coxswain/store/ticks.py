"""Ticks of Schedules, as the operator writes them and everybody reads them.

The row of a tick stands before its Job is made. An outcome that is given never changes, so every
tick has exactly one. What writes here is called through ``leadership.fenced``.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import asyncpg

from coxswain.api.event_types.schedule import ENDED, TickEnded
from coxswain.api.ticks import (
    Counters,
    ScheduleRequest,
    ScheduleState,
    Standing,
    Tick,
    TickChange,
)
from coxswain.errors import CoxswainError
from coxswain.store import events, polls, triggers
from coxswain.store.events import Event
from coxswain.store.pool import Connection

RECENT = 10
MOST_OPEN = 4000
"""More than may wait in one Schedule, those of backfills included."""
ACTOR = "operator"


class Fired(NamedTuple):
    """The Job of a tick is there."""

    uid: str
    workspace: str
    name: str
    tick: Tick


class Refused(NamedTuple):
    """The Job of a tick was refused: for good where the tick has an outcome, which is Missed."""

    uid: str
    workspace: str
    name: str
    tick: Tick


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of ticks ended."""

    at: datetime
    id: str


async def standing(connection: Connection, uids: Sequence[str]) -> list[Standing]:
    """What is known of these Schedules, each in its place."""
    states = await connection.fetch(
        "SELECT * FROM schedules WHERE schedule_uid = ANY ($1::uuid[])", list(uids)
    )
    # The partial index holds what is open only, so this stays small.
    open_rows = await connection.fetch(
        "SELECT ticks.* FROM unnest($1::uuid[]) AS wanted (uid) CROSS JOIN LATERAL"
        " (SELECT * FROM ticks WHERE schedule_uid = wanted.uid"
        " AND (outcome IS NULL OR (outcome = 'Fired' AND job_phase IS NULL))"
        " ORDER BY due_at, id LIMIT $2) AS ticks",
        list(uids),
        MOST_OPEN,
    )
    recent = await connection.fetch(
        "SELECT ticks.* FROM unnest($1::uuid[]) AS wanted (uid) CROSS JOIN LATERAL"
        " (SELECT * FROM ticks WHERE schedule_uid = wanted.uid AND settled_at IS NOT NULL"
        " ORDER BY settled_at DESC, id DESC LIMIT $2) AS ticks",
        list(uids),
        RECENT,
    )
    requests = await connection.fetch(
        "SELECT * FROM schedule_requests WHERE schedule_uid = ANY ($1::uuid[])"
        " AND handled_at IS NULL ORDER BY at, id",
        list(uids),
    )
    outside = await triggers.open_of(connection, uids)
    pages = await polls.of(connection, uids)
    by_uid = {str(row["schedule_uid"]): _state(row) for row in states}
    opened, latest = _grouped(open_rows), _grouped(recent)
    asked: dict[str, list[ScheduleRequest]] = defaultdict(list)
    for row in requests:
        asked[str(row["schedule_uid"])].append(_request(row))
    return [
        Standing(
            by_uid.get(uid),
            tuple(opened[uid]),
            tuple(reversed(latest[uid])),
            tuple(asked[uid]),
            outside[uid],
            pages.get(uid),
        )
        for uid in uids
    ]


async def keep(connection: Connection, changes: Sequence[TickChange]) -> None:
    """Write what passes have decided, and an event of each outcome. The same again is harmless."""
    await _keep_states(connection, changes)
    ticks = [(each.uid, tick) for each in changes for tick in each.ticks]
    if ticks:
        await keep_ticks(connection, ticks)
    handled = [request for each in changes for request in each.handled]
    if handled:
        await connection.execute(
            "UPDATE schedule_requests SET handled_at = now()"
            " WHERE id = ANY ($1::uuid[]) AND handled_at IS NULL",
            handled,
        )
    outside = [trigger for each in changes for trigger in each.triggers]
    if outside:
        await triggers.handle(connection, outside)
    # The head of the log is locked from here on, so this comes last.
    happened = [
        event_of(each.uid, each.workspace, each.name, tick)
        for each in changes
        for tick in each.ticks
        if tick.outcome is not None
    ]
    if happened:
        await events.append(connection, happened)


async def settle(connection: Connection, fired: Sequence[Fired]) -> None:
    """The Jobs of these ticks are there: the outcome is Fired."""
    await connection.execute(
        "UPDATE ticks SET outcome = 'Fired', job_uid = given.job_uid, settled_at = given.settled_at"
        " FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[])"
        " AS given (schedule_uid, id, job_uid, settled_at)"
        " WHERE ticks.schedule_uid = given.schedule_uid AND ticks.id = given.id"
        " AND outcome IS NULL",
        [each.uid for each in fired],
        [each.tick.id for each in fired],
        [each.tick.job_uid for each in fired],
        [each.tick.settled_at for each in fired],
    )
    await events.append(connection, [event_of(*each) for each in fired])


async def refuse(connection: Connection, refused: Sequence[Refused]) -> None:
    """Keep why these Jobs were refused; what is Missed by that counts no longer as fired."""
    ordered = sorted(refused, key=lambda each: (each.uid, each.tick.id))
    await connection.execute(
        "WITH changed AS (UPDATE ticks SET cause = given.cause, outcome = given.outcome,"
        " reason = given.reason, job_name = given.job_name, settled_at = given.settled_at"
        " FROM unnest($1::uuid[], $2::text[], $3::jsonb[], $4::text[], $5::text[], $6::text[],"
        " $7::timestamptz[], $8::boolean[])"
        " AS given (schedule_uid, id, cause, outcome, reason, job_name, settled_at, is_counted)"
        " WHERE ticks.schedule_uid = given.schedule_uid AND ticks.id = given.id"
        " AND ticks.outcome IS NULL"
        " RETURNING ticks.schedule_uid, ticks.outcome, given.is_counted),"
        " lost AS (SELECT schedule_uid, count(*) AS fired,"
        " count(*) FILTER (WHERE is_counted) AS counted"
        " FROM changed WHERE outcome IS NOT NULL GROUP BY schedule_uid)"
        " UPDATE schedules SET fired = schedules.fired - lost.fired,"
        " counted = schedules.counted - lost.counted, missed = schedules.missed + lost.fired"
        " FROM lost WHERE schedules.schedule_uid = lost.schedule_uid",
        [each.uid for each in ordered],
        [each.tick.id for each in ordered],
        [each.tick.cause for each in ordered],
        [each.tick.outcome for each in ordered],
        [each.tick.reason for each in ordered],
        [each.tick.job_name for each in ordered],
        [each.tick.settled_at for each in ordered],
        [each.tick.is_counted for each in ordered],
    )
    happened = [event_of(*each) for each in ordered if each.tick.outcome is not None]
    if happened:
        await events.append(connection, happened)


async def page(
    connection: Connection, uid: str, before: Place | None, *, limit: int
) -> tuple[Tick, ...]:
    """Ticks of a Schedule, newest first, from before a place on."""
    rows = await connection.fetch(
        "SELECT * FROM ticks WHERE schedule_uid = $1"
        " AND ((at, id) < ($2::timestamptz, $3) OR $2 IS NULL)"
        " ORDER BY at DESC, id DESC LIMIT $4",
        uid,
        before.at if before is not None else None,
        before.id if before is not None else "",
        limit,
    )
    return tuple(stored(row) for row in rows)


async def _keep_states(connection: Connection, changes: Sequence[TickChange]) -> None:
    # Rows in one order, so that two batches cannot wait for each other.
    ordered = sorted(changes, key=lambda each: each.uid)
    states = [each.state for each in ordered]
    await connection.execute(
        "INSERT INTO schedules AS standing (schedule_uid, workspace, name, trigger, through, held,"
        " paused, position, cooled_at, fired, counted, missed, skipped, buffered, overrun)"
        " SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[],"
        " $6::text[], $7::boolean[], $8::bigint[], $9::timestamptz[], $10::bigint[], $11::bigint[],"
        " $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[])"
        " ON CONFLICT (schedule_uid) DO UPDATE SET trigger = excluded.trigger,"
        " through = greatest(standing.through, excluded.through), held = excluded.held,"
        " paused = excluded.paused, position = excluded.position, cooled_at = excluded.cooled_at,"
        " fired = excluded.fired, counted = excluded.counted, missed = excluded.missed,"
        " skipped = excluded.skipped, buffered = excluded.buffered, overrun = excluded.overrun",
        [each.uid for each in ordered],
        [each.workspace for each in ordered],
        [each.name for each in ordered],
        [each.trigger for each in states],
        [each.through for each in states],
        [each.held for each in states],
        [each.paused for each in states],
        [each.position for each in states],
        [each.cooled_at for each in states],
        [each.counters.fired for each in states],
        [each.counters.counted for each in states],
        [each.counters.missed for each in states],
        [each.counters.skipped for each in states],
        [each.counters.buffered for each in states],
        [each.counters.overrun for each in states],
    )


async def keep_ticks(connection: Connection, given: Iterable[tuple[str, Tick]]) -> None:
    """Write these rows, each with the uid of its Schedule; an outcome that stands stays."""
    rows = sorted(given, key=lambda each: (each[0], each[1].id))
    ticks = [tick for _, tick in rows]
    # An outcome stands; of one that fired only the end of its Job is still to come.
    await connection.execute(
        "INSERT INTO ticks AS standing (schedule_uid, id, source, at, due_at, through, count,"
        " overlap, cause, outcome, reason, job_name, job_uid, job_phase, reply, settled_at)"
        " SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[],"
        " $5::timestamptz[], $6::timestamptz[], $7::bigint[], $8::text[], $9::jsonb[], $10::text[],"
        " $11::text[], $12::text[], $13::uuid[], $14::text[], $15::text[], $16::timestamptz[])"
        " ON CONFLICT (schedule_uid, id) DO UPDATE SET outcome = excluded.outcome,"
        " reason = excluded.reason, job_name = excluded.job_name, job_uid = excluded.job_uid,"
        " job_phase = excluded.job_phase, reply = excluded.reply, settled_at = excluded.settled_at"
        " WHERE standing.outcome IS NULL OR (standing.outcome = 'Fired'"
        " AND excluded.outcome = 'Fired' AND standing.job_phase IS NULL)",
        [uid for uid, _ in rows],
        [tick.id for tick in ticks],
        [tick.source for tick in ticks],
        [tick.at for tick in ticks],
        [tick.due_at for tick in ticks],
        [tick.through for tick in ticks],
        [tick.count for tick in ticks],
        [tick.overlap for tick in ticks],
        [tick.cause for tick in ticks],
        [tick.outcome for tick in ticks],
        [tick.reason for tick in ticks],
        [tick.job_name for tick in ticks],
        [tick.job_uid for tick in ticks],
        [tick.job_phase for tick in ticks],
        [tick.reply for tick in ticks],
        [tick.settled_at for tick in ticks],
    )


def event_of(uid: str, workspace: str, name: str, tick: Tick) -> Event:
    """What the log says of the outcome of a tick; the same tick, the same id."""
    if tick.outcome is None:
        raise CoxswainError(f"the tick {tick.id} has no outcome to tell of")
    what = ENDED[tick.outcome]
    told = TickEnded(
        tick=tick.at.isoformat(),
        source=tick.source,
        count=tick.count,
        reason=tick.reason or None,
        job=tick.job_name,
    )
    settled_at = tick.settled_at or tick.due_at
    return Event.of(
        what,
        told,
        id=events.derived_id(uid, 0, f"{what.name} {tick.id}", settled_at),
        actor=ACTOR,
        workspace=workspace,
        name=name,
        uid=uid,
    )


def _grouped(rows: Iterable[asyncpg.Record]) -> dict[str, list[Tick]]:
    found: dict[str, list[Tick]] = defaultdict(list)
    for row in rows:
        found[str(row["schedule_uid"])].append(stored(row))
    return found


def _state(row: asyncpg.Record) -> ScheduleState:
    return ScheduleState(
        trigger=row["trigger"],
        through=row["through"],
        held=row["held"],
        paused=row["paused"],
        position=row["position"],
        cooled_at=row["cooled_at"],
        counters=Counters(
            fired=row["fired"],
            counted=row["counted"],
            missed=row["missed"],
            skipped=row["skipped"],
            buffered=row["buffered"],
            overrun=row["overrun"],
        ),
    )


def stored(row: asyncpg.Record) -> Tick:
    """A row of the table as a tick."""
    return Tick(
        id=row["id"],
        source=row["source"],
        at=row["at"],
        due_at=row["due_at"],
        through=row["through"],
        count=row["count"],
        overlap=row["overlap"],
        cause=row["cause"],
        outcome=row["outcome"],
        reason=row["reason"],
        job_name=row["job_name"],
        job_uid=_text(row["job_uid"]),
        job_phase=row["job_phase"],
        reply=row["reply"],
        settled_at=row["settled_at"],
    )


def _request(row: asyncpg.Record) -> ScheduleRequest:
    return ScheduleRequest(
        id=str(row["id"]),
        kind=row["kind"],
        by=row["by"],
        why=row["why"],
        since=row["since"],
        until=row["until"],
        overlap=row["overlap"],
        at=row["at"],
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
