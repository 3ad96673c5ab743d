"""The audit log for people: pages of it, an export with its proof, and the public keys."""

import time
from collections.abc import AsyncIterator
from uuid import UUID

from aiohttp import web

from coxswain.errors import CoxswainError, UserError
from coxswain.identity.callers import UserCaller
from coxswain.sidecar import cursors
from coxswain.sidecar.audit_export import Export
from coxswain.sidecar.audit_wire import (
    AuditKeys,
    AuditKeyView,
    AuditPage,
    AuditQuery,
    AuditView,
    ExportQuery,
)
from coxswain.store import audit
from coxswain.store.audit import Cursor
from coxswain.store.pool import Store
from coxswain.telemetry import logs
from coxswain.web import denials, request_ids
from coxswain.web.routes import AGAIN, Call, route

log = logs.get(__name__)

LINES = "application/jsonl"


class AuditRoutes:
    """Routes for people."""

    def __init__(self, store: Store, installation: str, again_seconds: float) -> None:
        self._store = store
        self._installation = installation
        self._again_seconds = again_seconds

    @route("GET", "/v1/audit")
    async def read_audit(self, call: Call, caller: UserCaller, query: AuditQuery) -> AuditPage:
        """Read the audit log, newest first, by time, actor, object and action."""
        wanted = query.query(query.outcome)
        cursor = _read_cursor(query.cursor)
        page = await self._store.run(audit.page, wanted, cursor, limit=query.limit)
        return AuditPage(
            items=[AuditView.of(row) for row in page.rows],
            next=cursors.write(page.next.at, page.next.id) if page.next is not None else None,
        )

    @route("GET", "/v1/audit/keys")
    async def list_audit_keys(self, call: Call, caller: UserCaller) -> AuditKeys:
        """List the public keys of the log's seals. Keep them elsewhere: a proof needs keys of one's own."""
        found = await self._store.run(audit.keys)
        return AuditKeys(items=[AuditKeyView.of(key) for key in found])

    @route("GET", "/v1/audit/export", produces=LINES)
    async def export_audit(
        self, call: Call, caller: UserCaller, query: ExportQuery
    ) -> web.StreamResponse:
        """Export rows as JSON Lines with the seals that prove them: ``coxswain-audit verify`` reads it.

        Without any parameter it is the whole log. An export without an ``end`` line was cut: the
        database went away, or the caller's right did.
        """
        if query.after is not None and query.workspace is None:
            raise UserError("a seal is one of a workspace: give workspace too", field="query.after")
        export = Export(self._store, self._installation, query.query(), query.after)
        parts = export.lines(query.asked())
        # Asked for before the answer begins, so that a database that is away is a 503.
        first = await anext(parts)
        response = web.StreamResponse(headers={request_ids.HEADER: request_ids.current()})
        response.content_type = LINES
        await response.prepare(call.request)
        await response.write(first)
        await self._write(call.request, response, parts)
        return response

    async def _write(
        self, request: web.Request, response: web.StreamResponse, parts: AsyncIterator[bytes]
    ) -> None:
        allowed_until = time.monotonic() + self._again_seconds
        try:
            async for each in parts:
                if time.monotonic() >= allowed_until:
                    await request[AGAIN].check()
                    allowed_until = time.monotonic() + self._again_seconds
                await response.write(each)
        except CoxswainError as error:
            # The answer has begun: a cut connection, and no line "end", are all that can say so.
            await denials.denied(request, error)
            log.warning("an export could not be written to its end", code=error.code)
            raise ConnectionResetError from error
        await response.write_eof()


def _read_cursor(text: str | None) -> Cursor | None:
    if text is None:
        return None
    at, row = cursors.read(text, cursors.instant, UUID)
    return Cursor(at, row)
