"""Who is refused at a gateway's door for want of identity: sums in the audit log, one row a minute.

Only pods with an open run are let in there, so whoever is refused is nobody whom we know. A gateway's
role writes such sums and no other row, and reads none. What callers do has records of its own.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from coxswain.api.audit import Actor, AuditEntry, Outcome
from coxswain.errors import CoxswainError
from coxswain.store import audit, uuid7
from coxswain.store.pool import Store
from coxswain.telemetry import logs, metrics
from coxswain.web.auditing import Act, Refusal
from coxswain.web.denial_sums import ANONYMOUS_KIND, MANY, Denials

log = logs.get(__name__)
T = TypeVar("T")


class Refusals:
    """One per process; see ``coxswain.web.auditing.Recorder``. ``run`` is its task."""

    def __init__(self, store: Store, door: str) -> None:
        """``door`` is the name of the process; it stands in each row."""
        self._store = store
        self._door = door
        self._sums = Denials(self._write)

    async def run(self) -> None:
        """Write the sums of each minute, until cancelled; then the last ones."""
        await self._sums.run()

    async def keep(self, act: Act, work: Callable[[], Awaitable[T]]) -> T:
        """Do the work."""
        return await work()

    async def denied(self, refusal: Refusal) -> None:
        """Count a refusal."""
        await self.count(refusal.code)

    async def count(self, code: str) -> None:
        """Count a refusal by its code."""
        entry = AuditEntry(
            id=uuid7.new(datetime.now(UTC)),
            action=MANY,
            outcome=Outcome.DENIED,
            actor=Actor(ANONYMOUS_KIND),
            details={"code": code},
        )
        await self._sums.take(entry)

    async def _write(self, entry: AuditEntry) -> None:
        try:
            await self._store.run(
                audit.write_refusals, entry.id, {**entry.details, "door": self._door}
            )
        except CoxswainError as error:
            metrics.AUDIT_LOST.inc()
            log.warning("a row of the audit log is lost", action=MANY, code=error.code)
