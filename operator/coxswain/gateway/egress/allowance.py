"""How many bytes a run may still send and receive: grants are taken before anything goes through.

All connections of a run share what their gateway was granted. What is over stays for the run's next
connection here and is never given back, so a repeat can only make it less.
"""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from coxswain.api.records import Run, RunKey
from coxswain.errors import ForbiddenError, TransientError
from coxswain.gateway.egress.relay import READ_BYTES, USED_UP

GRANT_BYTES = 1_048_576
PARTS = 16
REMEMBER_RUNS = 10_000
RETRY_SECONDS = 1.0

Grant = Callable[[RunKey, int, int], Awaitable[int]]
"""Takes so many bytes for a run, of so many in all; returns how many were left to take."""


class Allowance:
    """What one run may let through this process. Without a bound, anything."""

    def __init__(
        self, key: RunKey, most: int | None, grant: Grant, retry_seconds: float = RETRY_SECONDS
    ) -> None:
        self._retry_seconds = retry_seconds
        self._key = key
        self._most = most
        self._grant = grant
        self._left = 0
        self._lock = asyncio.Lock()

    async def require(self) -> None:
        """Raise ForbiddenError egress_bytes_used_up where not a byte is left."""
        async with self._lock:
            if self._most is not None and self._left == 0:
                self._left = await self._granted(self._most)

    async def take(self, count: int) -> None:
        """Take so many bytes before they go through, READ_BYTES at most.

        Raises ForbiddenError egress_bytes_used_up where fewer are left.
        """
        if self._most is None:
            return
        async with self._lock:
            while self._left < count:
                self._left += await self._granted(self._most)
            self._left -= count

    async def take_patiently(self, count: int) -> None:
        """The same; while the database is away it waits, for as long as its caller does."""
        while True:
            try:
                return await self.take(count)
            except TransientError:
                await asyncio.sleep(self._retry_seconds)

    async def _granted(self, most: int) -> int:
        # Small enough that replicas with a little left over do not keep much from each other.
        portion = min(GRANT_BYTES, max(READ_BYTES, math.ceil(most / PARTS)))
        granted = await self._grant(self._key, portion, most)
        if granted == 0:
            # What is left is too little for what was asked, and no further connection begins with it.
            self._left = 0
            raise ForbiddenError(
                f"this run has used up the {most} bytes of its Agent's"
                " spec.sandbox.egress.bytesPerRun",
                code=USED_UP,
            )
        return granted


class Allowances:
    """Those of the runs that were here last. One that was forgotten begins with a new grant."""

    def __init__(self, grant: Grant) -> None:
        self._grant = grant
        self._known: OrderedDict[RunKey, Allowance] = OrderedDict()

    def of(self, run: Run) -> Allowance:
        """The one of a run; its connections share it."""
        most = run.document.egress_bytes
        if most is None:
            return Allowance(run.key, None, self._grant)
        known = self._known.setdefault(run.key, Allowance(run.key, most, self._grant))
        self._known.move_to_end(run.key)
        if len(self._known) > REMEMBER_RUNS:
            self._known.popitem(last=False)
        return known
