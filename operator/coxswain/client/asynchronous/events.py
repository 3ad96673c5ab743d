"""The event log: append, read, follow."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from datetime import datetime
from typing import Any

from coxswain.client import new_events, operations
from coxswain.client.asynchronous.streaming import Following
from coxswain.client.asynchronous.transport import Transport
from coxswain.client.models import Accepted, EventView, ResyncView
from coxswain.client.new_events import NewEvent
from coxswain.client.requests import Request


class Events:
    """``client.events``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def append(
        self, events: Iterable[NewEvent], *, under: Mapping[str, int] | None = None
    ) -> Accepted:
        """Append events in their order, up to 500 in a request; what stands already is passed over.

        ``under`` names leases, WORKSPACE/NAME with the token of each: LeaseLostError once a larger
        token was given out, and nothing of that request is written.
        """
        leases = ", ".join(f"{name}={token}" for name, token in (under or {}).items())
        headers = {"Coxswain-Lease": leases} if leases else {}
        accepted = duplicates = position = 0
        for batch in new_events.batches(events):
            body = {"events": [each.to_wire() for each in batch]}
            answer = await self._transport.ask(
                Request(operations.APPEND_EVENTS, body=body, headers=headers, is_harmless=True)
            )
            accepted += answer.accepted
            duplicates += answer.duplicates
            position = answer.position
        return Accepted(accepted=accepted, duplicates=duplicates, position=position)

    async def list(
        self,
        *,
        after: int = 0,
        workspace: str | None = None,
        job: str | None = None,
        attempt: int | None = None,
        agent: str | None = None,
        type: str | None = None,  # noqa: A002 - the API's word
        since: datetime | None = None,
        security: bool = False,
        page: int | None = None,
    ) -> AsyncIterator[EventView | ResyncView]:
        """What the log holds after a position, to its end as it is when that is come to.

        ``job`` is an id, or a name with ``workspace``; ``type`` a whole one, or the beginning of many
        with a dot at its end, several with commas between them. ``since`` leaves out what happened before;
        with ``security`` only what matters to it is given. A ResyncView says that ``after`` was dropped:
        what follows begins at the oldest that is kept.
        """
        query = _query(workspace, job, attempt, agent, type)
        query |= {"since": since, "security": "true" if security else None}
        while True:
            wanted = {**query, "after": after, "limit": page}
            found = await self._transport.ask(Request(operations.READ_EVENTS, query=wanted))
            if found.resync is not None:
                yield found.resync
            for each in found.events:
                yield each
            after = found.next
            if not found.more:
                return

    def tail(
        self,
        *,
        after: int | None = None,
        workspace: str | None = None,
        job: str | None = None,
        attempt: int | None = None,
        agent: str | None = None,
        type: str | None = None,  # noqa: A002 - the API's word
    ) -> AsyncGenerator[EventView | ResyncView, None]:
        """Follow the log, over every cut, until its reader leaves.

        With ``after`` nothing is missed, and where that position was dropped a ResyncView says so.
        Without it, it begins at what comes next; what happens while no connection stands is missed
        as long as nothing was read yet.
        """
        query = _query(workspace, job, attempt, agent, type)
        return Following(
            self._transport, Request(operations.READ_EVENTS, query=query), after
        ).items()


def _query(
    workspace: str | None,
    job: str | None,
    attempt: int | None,
    agent: str | None,
    kind: str | None,
) -> dict[str, Any]:
    return {
        "workspace": workspace,
        "job": job,
        "attempt": attempt,
        "agent": agent,
        "type": kind,
    }
