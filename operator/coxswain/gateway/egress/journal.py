"""What the log keeps of each connection: that it was opened, before a byte goes out; how it ended; or why not.

``run.egress.opened`` and ``run.egress.closed`` share an id of the connection, since one may end
long after the other, and another process may have to tell a connection that nobody closed.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from coxswain.api.records import Event, Run
from coxswain.errors import CoxswainError
from coxswain.gateway.backlog import Backlog
from coxswain.gateway.egress.asking import Asked
from coxswain.gateway.egress.relay import Counts
from coxswain.reconcile.batches import Batches
from coxswain.store import claims, connections, uuid7
from coxswain.telemetry import metrics

REFUSED = f"{claims.EGRESS}refused"

Append = Callable[[Sequence[Event]], Awaitable[None]]


class Journal:
    """One for the process; ``run`` is its task."""

    def __init__(self, append: Append) -> None:
        async def flush(batch: Sequence[Event]) -> Sequence[None]:
            await append(batch)
            return [None] * len(batch)

        # Connections come in crowds; one statement takes all that wait.
        self._batches: Batches[Event, None] = Batches(flush)
        self._late = Backlog(self._batches.ask, metrics.EGRESS_EVENTS_LOST)

    async def run(self) -> None:
        """Write what waits for the database, until cancelled."""
        await self._late.run()

    async def flush(self) -> None:
        """Try everything that waits once more."""
        await self._late.flush()

    async def opened(self, run: Run, asked: Asked, details: dict[str, Any]) -> str:
        """Tell of a connection before it is used; its id. Raises what the database says."""
        event = _event(run, connections.OPENED, asked, details)
        await self._batches.ask(event)
        return str(event.id)

    async def closed(self, run: Run, asked: Asked, counts: Counts, details: dict[str, Any]) -> None:
        """Tell how it ended; kept until the database takes it."""
        amounts = {"sent": counts.sent, "received": counts.received}
        await self._late.record(_event(run, connections.CLOSED, asked, amounts | details))

    async def refused(self, run: Run, asked: Asked, error: CoxswainError) -> None:
        """Tell what an agent asked for and did not get; kept until the database takes it."""
        details = {"code": error.code, "message": error.message}
        await self._late.record(_event(run, REFUSED, asked, details))


def _event(run: Run, kind: str, asked: Asked, details: dict[str, Any]) -> Event:
    return Event(
        id=uuid7.new(datetime.now(UTC)),
        type=kind,
        actor=claims.actor(run),
        workspace=run.workspace,
        kind="Job",
        name=run.job_name,
        uid=run.key.job_uid,
        attempt=run.key.attempt,
        details={"host": asked.host, "port": asked.port} | details,
    )
