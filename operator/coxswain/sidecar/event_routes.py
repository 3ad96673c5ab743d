"""The event log for people: read by pages or live, and append events of their own."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from aiohttp import web

from coxswain.api.event_type import Writer
from coxswain.errors import UserError
from coxswain.identity.callers import UserCaller
from coxswain.sidecar import event_checks, fenced, objects, owning, views
from coxswain.sidecar.cluster import Objects
from coxswain.sidecar.live_stream import Wanted
from coxswain.sidecar.streams import Streams
from coxswain.sidecar.wire import (
    Accepted,
    EventPage,
    EventQuery,
    ResyncView,
    UserEvent,
    UserEvents,
)
from coxswain.store import event_search, events, fencing
from coxswain.store.event_search import Search
from coxswain.store.events import Event, Filter, Resync
from coxswain.store.pool import Connection, Store
from coxswain.web import problems
from coxswain.web.auditing import Kept
from coxswain.web.routes import Call, route

LARGE_BYTES = 8_388_608
LAST_EVENT_ID = "Last-Event-ID"
EVENT_STREAM = "text/event-stream"
# A page holds at most so much of its events' details, and one event more.
PAGE_BYTES = 4_194_304
# How often a filtered page looks further in one request.
LOOKS = 20


class EventRoutes:
    """Routes for people."""

    def __init__(self, store: Store, cluster: Objects, streams: Streams) -> None:
        self._store = store
        self._cluster = cluster
        self._streams = streams

    @route("GET", "/v1/events", produces=EVENT_STREAM)
    async def read_events(
        self, call: Call, caller: UserCaller, query: EventQuery
    ) -> EventPage | web.StreamResponse:
        """Read events after a position; with Accept: text/event-stream, live.

        A stream begins after Last-Event-ID or ``after``, and without them at what comes next.
        With ``wait`` a page that would be empty waits. A position that was dropped answers with ``resync``.
        """
        is_stream = EVENT_STREAM in (call.header("Accept") or "")
        _fits(query, is_stream=is_stream)
        which = await self._filter(query, caller)
        if not is_stream:
            return await self._page(call, query, Search(which, query.since, bool(query.security)))
        given = last_event_id(call)
        position, resync = await self._streams.start_of(query.after if given is None else given)
        wanted = Wanted(which, position, views.frame, lambda _event: False, session=query.session)
        return await self._streams.serve(call.request, wanted, resync)

    @route("POST", "/v1/events", limit=LARGE_BYTES, errors=(409, 413), kept=Kept.ELSEWHERE)
    async def append_events(self, call: Call, caller: UserCaller, body: UserEvents) -> Accepted:
        """Append events of one's own; the same ids again are harmless.

        Ids of more than 10 minutes ahead or 7 days back are refused (422 event_time). With
        Coxswain-Lease: WORKSPACE/NAME=TOKEN 409 lease_lost once a larger token was given out.
        """
        batch = [
            _event(event, str(caller), f"events.{place}") for place, event in enumerate(body.events)
        ]
        for place, event in enumerate(body.events):
            owning.require_workspace(caller, event.workspace, f"events.{place}.workspace")
        tokens = fenced.of_user(call)
        for workspace in tokens:
            owning.require_workspace(caller, workspace, fenced.FIELD)
        appended = await self._store.transact(_append_under, tokens, batch)
        return Accepted(
            accepted=appended.accepted,
            duplicates=len(batch) - appended.accepted,
            position=appended.last_position,
        )

    async def _filter(self, query: EventQuery, caller: UserCaller) -> Filter:
        if query.workspace is not None:
            owning.require_workspace(caller, query.workspace, "query.workspace")
        if query.attempt is not None and query.job is None:
            raise UserError("an attempt is one of a job: give job too", field="query.attempt")
        uid = None if query.job is None else await self._uid(query.job, query.workspace)
        return Filter(
            query.type, query.workspace, uid, query.attempt, caller.workspaces, query.agent
        )

    async def _uid(self, job: str, workspace: str | None) -> str:
        try:
            return str(UUID(job))
        except ValueError:
            if workspace is None:
                raise UserError(
                    "give the job's id, or its name together with workspace", field="query.job"
                ) from None
        return await objects.uid(self._store, self._cluster, "Job", workspace, job)

    async def _page(self, call: Call, query: EventQuery, search: Search) -> EventPage:
        found, resync = await self._store.run(_read, query.after or 0, search, query.limit)
        if query.wait and resync is None and not found.events and not found.more:
            found = await self._streams.next_page(
                call.request, search.which, found.next, limit=query.limit, seconds=query.wait
            )
        return EventPage(
            events=[views.of(event) for event in found.events],
            next=found.next,
            more=found.more,
            resync=ResyncView(oldest=resync.oldest, head=resync.head) if resync else None,
        )


def _fits(query: EventQuery, *, is_stream: bool) -> None:
    """Refuse what only the other form of an answer knows."""
    if (is_stream or query.wait) and (query.since is not None or query.security is not None):
        raise UserError(
            "since and security are for pages that do not wait: who waits gets what comes",
            field="query",
        )
    if is_stream and query.wait:
        raise UserError("a stream waits by itself; leave it out", field="query.wait")
    if not is_stream and query.session is not None:
        raise UserError(
            f"only a stream has a session: ask with Accept: {EVENT_STREAM}", field="query.session"
        )


async def _append_under(
    connection: Connection, tokens: Mapping[str, Mapping[str, int]], batch: Sequence[Event]
) -> events.Appended:
    for workspace, named in sorted(tokens.items()):
        await fencing.require(connection, workspace, named)
    return await events.append(connection, batch, windowed=True)


async def _read(
    connection: Connection, after: int, search: Search, limit: int
) -> tuple[events.Page, Resync | None]:
    page = await _look(connection, after, search, limit)
    for _ in range(LOOKS):
        if page.events or not page.more:
            break
        page = await _look(connection, page.next, search, limit)
    # Asked last: days that went while it was read are told of.
    return page, await events.locate(connection, after)


async def _look(connection: Connection, after: int, search: Search, limit: int) -> events.Page:
    if search == Search(search.which):
        return await events.after(
            connection, after, search.which, limit=limit, most_bytes=PAGE_BYTES
        )
    return await event_search.page(connection, after, search, limit=limit, most_bytes=PAGE_BYTES)


def last_event_id(call: Call) -> int | None:
    """The position that a stream's reader had come to. Raises UserError for garbage."""
    given = call.header(LAST_EVENT_ID)
    if given is None or not given.strip():
        return None
    text = given.strip()
    if not (text.isascii() and text.isdecimal()) or len(text) > 18:
        raise UserError(
            "this is no position of the log: send the id of an event that you were given, or nothing",
            code=problems.MALFORMED,
            field=LAST_EVENT_ID,
        )
    return int(text)


def _event(event: UserEvent, actor: str, place: str) -> Event:
    event_checks.check(Writer.USER, event.type, event.event_version, event.details, place=place)
    event_checks.text(event.kind, f"{place}.kind")
    event_checks.text(event.name, f"{place}.name")
    return Event(
        id=event.id,
        type=event.type,
        actor=actor,
        workspace=event.workspace or "",
        kind=event.kind,
        name=event.name,
        uid=str(event.uid) if event.uid is not None else None,
        details=event.details,
        version=event.event_version,
    )
