"""What the log keeps of each connection: that it was opened, before a byte goes out; how it ended; or why not.

``run.egress.opened`` and ``run.egress.closed`` share an id of the connection, since one may end
long after the other, and another process may have to tell a connection that nobody closed.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from coxswain.api.event_type import D, EventType
from coxswain.api.event_types import door
from coxswain.api.event_types.door import ConnectionClosed, ConnectionOpened, ConnectionRefused
from coxswain.api.records import Event, Run
from coxswain.errors import CoxswainError
from coxswain.gateway.backlog import Backlog
from coxswain.gateway.egress.asking import Asked
from coxswain.reconcile.batches import Batches
from coxswain.store import claims, uuid7
from coxswain.telemetry import metrics

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

    async def opened(self, run: Run, data: ConnectionOpened) -> str:
        """Tell of a connection before it is used; its id. Raises what the database says."""
        event = _event(run, door.EGRESS_OPENED, data)
        await self._batches.ask(event)
        return str(event.id)

    async def closed(self, run: Run, data: ConnectionClosed) -> None:
        """Tell how it ended; kept until the database takes it."""
        await self._late.record(_event(run, door.EGRESS_CLOSED, data))

    async def refused(self, run: Run, asked: Asked, error: CoxswainError) -> None:
        """Tell what an agent asked for and did not get; kept until the database takes it."""
        data = ConnectionRefused(
            host=asked.host, port=asked.port, code=error.code, message=error.message
        )
        await self._late.record(_event(run, door.EGRESS_REFUSED, data))


def _event(run: Run, what: EventType[D], data: D) -> Event:
    return Event.of(
        what,
        data,
        id=uuid7.new(datetime.now(UTC)),
        actor=claims.actor(run),
        workspace=run.workspace,
        name=run.job_name,
        uid=run.key.job_uid,
        attempt=run.key.attempt,
    )
