"""Denials on their way into the audit log, so bounded that nobody can fill it by being refused.

Of each caller the first few of a minute have a row each; those after them, and all of callers whom we
do not know, are counted, and the minute's end writes one row per caller with the count of each reason.
A process that is killed loses the counts of its last minute; its metrics had them too.
"""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from coxswain.api.audit import Actor, AuditEntry, Outcome
from coxswain.store import uuid7
from coxswain.telemetry import logs, metrics

log = logs.get(__name__)

PERIOD_SECONDS = 60.0
ROWS_PER_CALLER = 20
MOST_CALLERS = 1000
OTHERS = Actor("others")
"""All callers beyond the most that are counted apart."""
MANY = "requests_refused"
LAST_SECONDS = 3.0
ANONYMOUS_KIND = "anonymous"

Key = tuple[Actor, Outcome]
"""Who, and whether they were denied or it failed: the one is no sum of the other."""
Write = Callable[[AuditEntry], Awaitable[None]]


class Denials:
    """One per process; ``run`` is its task."""

    def __init__(self, write: Write, last_seconds: float = LAST_SECONDS) -> None:
        self._write = write
        self._last_seconds = last_seconds
        self._rows: Counter[Key] = Counter()
        self._more: dict[Key, Counter[str]] = defaultdict(Counter)
        self._due: deque[AuditEntry] = deque()
        """Sums of periods that are over, which are not written yet."""

    async def take(self, entry: AuditEntry) -> None:
        """Write a row, or count it where the caller has had its rows of this minute."""
        key = (entry.actor, entry.outcome)
        if key not in self._rows and len(self._rows) >= MOST_CALLERS:
            key = (OTHERS, entry.outcome)
        if key[0].kind in {ANONYMOUS_KIND, OTHERS.kind} or self._rows[key] >= ROWS_PER_CALLER:
            self._more[key][str(entry.details.get("code", ""))] += 1
            return
        self._rows[key] += 1
        await self._write(entry)

    async def run(self, period: float = PERIOD_SECONDS) -> None:
        """Write the sums of each period, until cancelled; then those of the last one."""
        try:
            while True:
                await asyncio.sleep(period)
                await self.flush()
        finally:
            await self._last()

    async def _last(self) -> None:
        """Write the last sums; what the database does not take in time is counted as lost."""
        try:
            async with asyncio.timeout(self._last_seconds):
                await self.flush()
        except TimeoutError:
            metrics.AUDIT_LOST.inc(len(self._due))
            log.warning(
                "sums of denials are lost: the database did not answer", sums=len(self._due)
            )

    async def flush(self) -> None:
        """Write the sums, and begin a new period. One that is cut short is gone on with by the next."""
        self._due += [_sum(*key, codes) for key, codes in self._more.items()]
        self._more.clear()
        self._rows.clear()
        while self._due:
            await self._write(self._due[0])
            self._due.popleft()


def _sum(actor: Actor, outcome: Outcome, codes: Counter[str]) -> AuditEntry:
    return AuditEntry(
        id=uuid7.new(datetime.now(UTC)),
        action=MANY,
        outcome=outcome,
        actor=actor,
        details={"count": codes.total(), **codes},
    )
