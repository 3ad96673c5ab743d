"""Schedules for people: make, list, read; hold and go on; fire by hand; what came of each tick."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from coxswain import names
from coxswain.api.kind import Schedule
from coxswain.api.ticks import RequestKind, ScheduleRequest
from coxswain.errors import ConflictError, UserError
from coxswain.identity.callers import UserCaller
from coxswain.rules import idempotency
from coxswain.rules import ticks as rules
from coxswain.sidecar import keyed_objects, making, objects, owning, requests, schedule_wire
from coxswain.sidecar.cluster import Objects
from coxswain.sidecar.keyed_objects import KeyedObjects, NewObject
from coxswain.sidecar.object_routes import tagged
from coxswain.sidecar.schedule_wire import (
    BackfillRequest,
    NewSchedule,
    RequestView,
    TickPage,
    TickQuery,
    TriggerRequest,
)
from coxswain.sidecar.suspend_routes import BY_SPEC
from coxswain.sidecar.wire import (
    ListQuery,
    ObjectPath,
    Resource,
    ResourceList,
    SuspendRequest,
    WorkspacePath,
)
from coxswain.store import mirror, schedule_requests, ticks
from coxswain.store.mirror import Query
from coxswain.store.pool import Store
from coxswain.web.auditing import Kept
from coxswain.web.routes import Answer, Call, route

KIND = "Schedule"
MOST_BACKFILL = 1000
JUST_BEFORE = timedelta(microseconds=1)


class ScheduleRoutes:
    """Routes for people."""

    def __init__(self, store: Store, cluster: Objects, keyed: KeyedObjects) -> None:
        self._store = store
        self._cluster = cluster
        self._keyed = keyed

    @route("POST", "/v1/workspaces/{workspace}/schedules", status=201, errors=(404, 409))
    async def create_schedule(
        self, call: Call, caller: UserCaller, path: WorkspacePath, body: NewSchedule
    ) -> Answer[Resource]:
        """Make a Schedule: the same object as ``kubectl apply`` makes.

        A trigger that nobody could follow is refused with its field, before anything is made. With
        Idempotency-Key the same again answers 200 and the Schedule that was made first; another
        spec answers 409 idempotency_key_reused.
        """
        rules.of(body.spec)
        wire = body.spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
        owning.require_queue(caller, owning.work(wire))

        async def make(metadata: making.Body) -> making.Body:
            manifest = making.manifest(metadata, wire, caller, kind=KIND)
            return await making.create(self._cluster, path.workspace, manifest, "schedules")

        metadata, key = body.metadata.to_wire(), keyed_objects.key_of(call)
        payload = idempotency.payload_hash(path.workspace, body.spec)
        wanted = NewObject(KIND, path.workspace, metadata, payload, key)
        made, status = await self._keyed.create(wanted, make)
        return tagged(made, status=status)

    @route("GET", "/v1/schedules")
    async def list_schedules(
        self, call: Call, caller: UserCaller, query: ListQuery
    ) -> ResourceList:
        """List the Schedules of all workspaces that one may see, newest first."""
        return await self._list(Query(KIND, caller.workspaces, query.phase), query)

    @route("GET", "/v1/workspaces/{workspace}/schedules")
    async def list_workspace_schedules(
        self, call: Call, caller: UserCaller, path: WorkspacePath, query: ListQuery
    ) -> ResourceList:
        """List the Schedules of a workspace, newest first."""
        return await self._list(Query(KIND, [path.workspace], query.phase), query)

    @route("GET", "/v1/workspaces/{workspace}/schedules/{name}", errors=(404,))
    async def get_schedule(
        self, call: Call, caller: UserCaller, path: ObjectPath
    ) -> Answer[Resource]:
        """Read a Schedule; with If-None-Match 304 if it is still the same."""
        found = await objects.find(self._store, self._cluster, KIND, path.workspace, path.name)
        return tagged(found, status=200)

    @route("GET", "/v1/workspaces/{workspace}/schedules/{name}/ticks", errors=(404,))
    async def list_ticks(
        self, call: Call, caller: UserCaller, path: ObjectPath, query: TickQuery
    ) -> Answer[TickPage]:
        """What came of each tick, newest first, also after the Schedule is gone."""
        uid = await objects.uid(self._store, self._cluster, KIND, path.workspace, path.name)
        place = schedule_wire.read_place(query.cursor)
        found = await self._store.run(ticks.page, uid, place, limit=query.limit + 1)
        return Answer(schedule_wire.page(found[: query.limit], more=len(found) > query.limit))

    @route(
        "POST",
        "/v1/workspaces/{workspace}/schedules/{name}/trigger",
        status=202,
        errors=(404, 409, 412),
        kept=Kept.WITH,
    )
    async def trigger_schedule(
        self, call: Call, caller: UserCaller, path: ObjectPath, body: TriggerRequest
    ) -> Answer[RequestView]:
        """Ask for a Job of the template now. The same ``id``, or Idempotency-Key, again asks for none.

        409 idempotency_key_reused where it stands for another request; with If-Match 412 if the
        Schedule changed.
        """
        live = await self._own(call, caller, path)
        id_ = _id(call, caller, live, body.id)
        asked = _asked("Trigger", caller, body.reason, id_, overlap=body.overlap)
        return await self._ask(path, live, asked)

    @route(
        "POST",
        "/v1/workspaces/{workspace}/schedules/{name}/backfill",
        status=202,
        errors=(404, 409, 412),
        kept=Kept.WITH,
    )
    async def backfill_schedule(
        self, call: Call, caller: UserCaller, path: ObjectPath, body: BackfillRequest
    ) -> Answer[RequestView]:
        """Ask for the Jobs of a past range of ticks, both ends included; at most 1,000 ticks.

        Answers to a repeat, and to If-Match, as trigger does.
        """
        live = await self._own(call, caller, path)
        since, until = body.since, body.until
        _check_range(Schedule.parse(live), since, until)
        id_ = _id(call, caller, live, body.id)
        asked = _asked(
            "Backfill", caller, body.reason, id_, since=since, until=until, overlap=body.overlap
        )
        return await self._ask(path, live, asked)

    @route(
        "POST",
        "/v1/workspaces/{workspace}/schedules/{name}/suspend",
        status=202,
        errors=(404, 412),
    )
    async def suspend_schedule(
        self, call: Call, caller: UserCaller, path: ObjectPath, body: SuspendRequest
    ) -> Answer[Resource]:
        """Let no tick make a Job. The same again is harmless; with If-Match 412 if it changed."""
        live = await objects.live(self._cluster, KIND, path.workspace, path.name)
        owning.require(caller, live)
        standing = objects.of(live, KIND)
        requests.check_unchanged(call, standing)
        if names.ANNOTATION_SUSPEND in (live["metadata"].get("annotations") or {}):
            return tagged(standing, status=202)
        return tagged(await self._annotate(path, standing, caller, body.reason), status=202)

    @route(
        "POST",
        "/v1/workspaces/{workspace}/schedules/{name}/resume",
        status=202,
        errors=(404, 409, 412),
    )
    async def resume_schedule(
        self, call: Call, caller: UserCaller, path: ObjectPath
    ) -> Answer[Resource]:
        """Go on after a pause, or after a failure that paused it.

        The same again goes on also after a failure that came in between, unless If-Match is given.
        409 suspended_by_spec where the spec itself says so; 412 as for suspend.
        """
        live = await objects.live(self._cluster, KIND, path.workspace, path.name)
        owning.require(caller, live)
        standing = objects.of(live, KIND)
        requests.check_unchanged(call, standing)
        if standing.spec.get("suspend"):
            raise ConflictError(
                "spec.suspend is true; set it to false where the spec is kept", code=BY_SPEC
            )
        if names.ANNOTATION_SUSPEND in (live["metadata"].get("annotations") or {}):
            asked = requests.Asked(path, names.ANNOTATION_SUSPEND, None, KIND)
            standing = await requests.annotate(self._cluster, asked, standing, standing.version)
        await self._ask(path, live, _asked("Continue", caller, None, None))
        return tagged(standing, status=202)

    async def _own(self, call: Call, caller: UserCaller, path: ObjectPath) -> dict[str, Any]:
        """The Schedule, if the caller may act on it and has seen it as it is."""
        live = await objects.live(self._cluster, KIND, path.workspace, path.name)
        owning.require(caller, live)
        requests.check_unchanged(call, objects.of(live, KIND))
        return live

    async def _annotate(
        self, path: ObjectPath, standing: Resource, caller: UserCaller, reason: str | None
    ) -> Resource:
        request = requests.of_person(caller, reason)
        asked = requests.Asked(path, names.ANNOTATION_SUSPEND, request, KIND)
        return await requests.annotate(self._cluster, asked, standing, standing.version)

    async def _ask(
        self, path: ObjectPath, live: dict[str, Any], asked: ScheduleRequest
    ) -> Answer[RequestView]:
        uid = live["metadata"]["uid"]
        is_new = await self._store.transact(
            schedule_requests.ask, uid, path.workspace, path.name, asked
        )
        return Answer(RequestView(id=asked.id, accepted=is_new), status=202)

    async def _list(self, wanted: Query, query: ListQuery) -> ResourceList:
        cursor = objects.read_cursor(query.cursor)
        return objects.listed(await self._store.run(mirror.page, wanted, cursor, limit=query.limit))


def _asked(
    kind: RequestKind, caller: UserCaller, reason: str | None, id_: Any, **fields: Any
) -> ScheduleRequest:
    return ScheduleRequest(str(id_ or uuid4()), kind, str(caller), reason or "", **fields)


def _id(call: Call, caller: UserCaller, live: dict[str, Any], given: UUID | None) -> UUID | None:
    """The request's own id, or one made from its key, which is one caller's and one Schedule's."""
    key = keyed_objects.key_of(call)
    if key is None:
        return given
    if given is not None:
        raise UserError("send an id or Idempotency-Key, not both", field="id")
    return uuid5(UUID(live["metadata"]["uid"]), f"{caller}\n{key}")


def _check_range(schedule: Schedule, since: datetime, until: datetime) -> None:
    """Refuse a range that is none, is not past, or holds no tick or too many."""
    if since > until:
        raise UserError("since is later than until", field="since")
    if until > datetime.now(UTC):
        raise UserError("a backfill is about the past", field="until")
    span = rules.of(schedule.spec).span(since - JUST_BEFORE, until, MOST_BACKFILL)
    if span is None:
        raise UserError("there is no tick between since and until", field="since")
    if span.count > MOST_BACKFILL or span.more:
        raise UserError(f"more than {MOST_BACKFILL} ticks; ask for them in parts", field="until")
