"""Schedules: made, fired by hand, caught up, held, read."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

from coxswain.api.meta import Model
from coxswain.client import operations, requests
from coxswain.client.asynchronous.transport import Transport
from coxswain.client.models import RequestView, Resource, TickView
from coxswain.client.requests import Operation, Request

A = TypeVar("A")


class Schedules:
    """``client.schedules``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(
        self,
        workspace: str,
        spec: Model | Mapping[str, Any],
        *,
        name: str,
        labels: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Resource:
        """Make a Schedule: once, however often it is sent."""
        metadata = {"name": name} if labels is None else {"name": name, "labels": labels}
        body = {"metadata": metadata, "spec": requests.spec_of(spec)}
        return await self._transport.ask(
            Request(
                operations.CREATE_SCHEDULE,
                {"workspace": workspace},
                body=body,
                headers=requests.once(key),
                is_harmless=True,
            )
        )

    async def get(self, workspace: str, name: str) -> Resource:
        """Read a Schedule."""
        return await self._transport.ask(Request(operations.GET_SCHEDULE, _path(workspace, name)))

    def list(
        self, workspace: str | None = None, *, phase: str | None = None, page: int | None = None
    ) -> AsyncIterator[Resource]:
        """Schedules, newest first: of a workspace, or of all that one may see. ``page`` at a time."""
        within = operations.LIST_WORKSPACE_SCHEDULES
        wanted = {"phase": phase, "limit": page}
        return self._transport.each(
            requests.listing(operations.LIST_SCHEDULES, within, workspace, **wanted)
        )

    def ticks(
        self, workspace: str, name: str, *, page: int | None = None
    ) -> AsyncIterator[TickView]:
        """What came of each tick, newest first."""
        query = {"limit": page}
        request = Request(operations.LIST_TICKS, _path(workspace, name), query)
        return self._transport.each(request)

    async def upcoming(self, workspace: str, name: str) -> tuple[datetime, ...]:
        """When the next ticks come due, as the operator knew it last."""
        found = (await self.get(workspace, name)).details.get("nextFireTimes") or ()
        return tuple(datetime.fromisoformat(each) for each in found)

    async def trigger(
        self,
        workspace: str,
        name: str,
        *,
        reason: str | None = None,
        overlap: str | None = None,
        request_id: UUID | None = None,
    ) -> RequestView:
        """Ask for a Job of the template now; the same ``request_id`` again asks for none."""
        body = {"reason": reason, "overlap": overlap, "id": str(request_id or uuid4())}
        return await self._ask(operations.TRIGGER_SCHEDULE, workspace, name, body)

    async def backfill(
        self,
        workspace: str,
        name: str,
        since: datetime,
        until: datetime,
        *,
        reason: str | None = None,
        overlap: str | None = None,
        request_id: UUID | None = None,
    ) -> RequestView:
        """Ask for the Jobs of a past range of ticks, both ends included."""
        body = {
            "since": since.isoformat(),
            "until": until.isoformat(),
            "reason": reason,
            "overlap": overlap,
            "id": str(request_id or uuid4()),
        }
        return await self._ask(operations.BACKFILL_SCHEDULE, workspace, name, body)

    async def pause(
        self, workspace: str, name: str, *, reason: str | None = None, version: str | None = None
    ) -> Resource:
        """Let no tick make a Job; with ``version`` only if it is still as it was read."""
        body = {"reason": reason}
        return await self._ask(operations.SUSPEND_SCHEDULE, workspace, name, body, version=version)

    async def resume(self, workspace: str, name: str, *, version: str | None = None) -> Resource:
        """Go on after a pause, or after a failure that paused it.

        It is not sent again after an answer that was lost: that could be after another failure.
        """
        return await self._ask(
            operations.RESUME_SCHEDULE, workspace, name, {}, version=version, is_harmless=False
        )

    async def _ask(
        self,
        operation: Operation[A],
        workspace: str,
        name: str,
        body: Mapping[str, Any],
        *,
        version: str | None = None,
        is_harmless: bool = True,
    ) -> A:
        return await self._transport.ask(
            Request(
                operation,
                _path(workspace, name),
                body=body,
                headers=requests.if_version(version),
                is_harmless=is_harmless and version is None,
            )
        )


def _path(workspace: str, name: str) -> dict[str, str]:
    return {"workspace": workspace, "name": name}
