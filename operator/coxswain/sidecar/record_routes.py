"""What a Job left behind, for people: its output, its files, and its life as it happens.

Records outlive objects: they are found by the name of a Job also after it is gone.
"""

from dataclasses import replace
from typing import Any

from aiohttp import web

from coxswain.api.contract import ARTIFACT_BYTES
from coxswain.api.event_types.job import ENTERED, JOB_DELETED
from coxswain.api.event_types.run import RUN_OUTPUT, STEPS
from coxswain.api.job import TERMINAL
from coxswain.api.records import Event
from coxswain.errors import CoxswainError, NotFoundError
from coxswain.identity.callers import UserCaller
from coxswain.sidecar import objects, views
from coxswain.sidecar.artifact_store import ArtifactStore
from coxswain.sidecar.cluster import Objects
from coxswain.sidecar.event_routes import last_event_id
from coxswain.sidecar.live_stream import Wanted
from coxswain.sidecar.streams import Streams
from coxswain.sidecar.wire import ArtifactPath, AttemptQuery, LogQuery, ObjectPath, StreamQuery
from coxswain.store import artifacts, events, mirror, outputs
from coxswain.store.events import Filter, Page, StoredEvent
from coxswain.store.pool import Store
from coxswain.telemetry import logs
from coxswain.web import request_ids
from coxswain.web.routes import Call, route

log = logs.get(__name__)

OF_RUNS = "run."
STATUS = "job."
OF_STEPS = {each.name: each.name.rpartition(".")[2] for each in STEPS}
ENDS = frozenset({*(ENTERED[phase].name for phase in TERMINAL), JOB_DELETED.name})
FILE_HEADERS = {"X-Content-Type-Options": "nosniff", "Content-Disposition": "attachment"}


class RecordRoutes:
    """Routes for people."""

    def __init__(
        self, store: Store, cluster: Objects, streams: Streams, files: ArtifactStore
    ) -> None:
        self._files = files
        self._store = store
        self._cluster = cluster
        self._streams = streams

    @route(
        "GET",
        "/v1/workspaces/{workspace}/jobs/{name}/log",
        produces="text/plain",
        errors=(404,),
    )
    async def read_log(
        self, call: Call, caller: UserCaller, path: ObjectPath, query: LogQuery
    ) -> web.StreamResponse:
        """Read the output of an attempt: of the newest that has any, or of the one asked for.

        Of a Job with steps, unless one stream is asked for, with a line where each begins and ends.
        """
        uid = await self._uid(path)
        attempt = query.attempt or await self._store.run(outputs.newest_attempt, uid)
        which = Filter(OF_RUNS, path.workspace, uid, attempt)
        first = await self._store.run(events.after, 0, which)
        response = web.StreamResponse(headers={request_ids.HEADER: request_ids.current()})
        response.content_type = "text/plain"
        response.charset = "utf-8"
        await response.prepare(call.request)
        try:
            await self._write_log(response, which, first, query.stream)
        except CoxswainError as error:
            # The answer has begun: a cut connection is all that still can say so.
            log.warning("a log could not be read to its end", code=error.code)
            raise ConnectionResetError from error
        return response

    @route(
        "GET",
        "/v1/workspaces/{workspace}/jobs/{name}/artifacts/{artifact}",
        produces="*/*",
        tagged=True,
        errors=(404,),
    )
    async def read_artifact(
        self, call: Call, caller: UserCaller, path: ArtifactPath, query: AttemptQuery
    ) -> web.Response:
        """Read a file that the Job kept: of the newest attempt that has it, or of the one given.

        It comes as the type that it was kept as.
        """
        uid = await self._uid(path)
        found = await self._store.run(artifacts.get, uid, path.artifact, query.attempt)
        if found is None:
            raise NotFoundError(f"the Job kept no '{path.artifact}'")
        return web.Response(
            body=await self._files.content(found),
            content_type=found.content_type,
            headers={**FILE_HEADERS, "ETag": f'"{found.sha256}"'},
        )

    @route(
        "GET",
        "/v1/workspaces/{workspace}/jobs/{name}/stream",
        produces="text/event-stream",
        also=(204,),
        errors=(404,),
    )
    async def stream_job(
        self, call: Call, caller: UserCaller, path: ObjectPath, query: StreamQuery
    ) -> web.StreamResponse:
        """Follow a Job from its beginning to its end: frames ``status``, ``log``, ``event`` and ``delta``.

        A ``delta`` is what a model says while it says it, and has no id. Last-Event-ID goes on where
        a reader was; 204 says that there is nothing more to come.
        """
        uid = await self._uid(path)
        given = last_event_id(call)
        # Who names no position begins at the Job's own beginning, wherever the log begins.
        position, resync = (0, None) if given is None else await self._streams.start_of(given)
        # An event that names this Job in another workspace is not of its life.
        which = Filter(workspace=path.workspace, uid=uid)
        if await self._is_over(which, uid, position):
            return web.Response(status=204)
        wanted = Wanted(which, position, _frame, _is_end, job=uid, session=query.session)
        return await self._streams.serve(call.request, wanted, resync)

    async def _write_log(
        self, response: web.StreamResponse, which: Filter, page: Page, stream: str | None
    ) -> None:
        while True:
            await response.write(_text(page.events, stream))
            if not page.more:
                break
            page = await self._store.run(events.after, page.next, which)
        await response.write_eof()

    async def _uid(self, path: ObjectPath) -> str:
        return await objects.uid(self._store, self._cluster, "Job", path.workspace, path.name)

    async def _is_over(self, which: Filter, uid: str, position: int) -> bool:
        """Whether the Job has ended and this reader has seen it all."""
        row = await self._store.run(mirror.by_uid, uid)
        if row is None or (row.phase not in TERMINAL and row.deleted_at is None):
            return False
        page = await self._store.run(events.after, position, replace(which, type=STATUS))
        return not any(_is_end(event) for event in page.events)


def _text(found: tuple[StoredEvent, ...], stream: str | None) -> bytes:
    return "".join(_piece(each.event, stream) for each in found).encode()


def _piece(event: Event, stream: str | None) -> str:
    details = event.details
    if event.type in OF_STEPS and stream is None:
        return _step(OF_STEPS[event.type], details)
    if event.type != RUN_OUTPUT.name or stream not in (None, details.get("stream")):
        return ""
    if details.get("artifact"):
        return _overflow(details)
    return str(details.get("text", ""))


def _overflow(details: dict[str, Any]) -> str:
    """The line of a stream that did not fit into events."""
    kept = "all of it is"
    if details.get("truncated"):
        kept = f"the first {ARTIFACT_BYTES} of its {details.get('bytes')} bytes are"
    return f"\n[there was more: {kept} the artifact '{details['artifact']}']\n"


def _step(what: str, details: dict[str, Any]) -> str:
    """The line of a step that began or ended."""
    why = ""
    if details.get("because"):
        why = f": step {details['because']} did not succeed"
    elif details.get("exitCode"):
        why = f": exit code {details['exitCode']}"
    elif details.get("reason"):
        why = f": {details['reason']}: {details.get('message')}"
    return f"\n[step {details.get('step')} {what}{why}]\n"


def _frame(stored: StoredEvent) -> bytes:
    kind = stored.event.type
    name = "log" if kind == RUN_OUTPUT.name else "status" if kind.startswith(STATUS) else "event"
    return views.frame(stored, name)


def _is_end(stored: StoredEvent) -> bool:
    return stored.event.type in ENDS
