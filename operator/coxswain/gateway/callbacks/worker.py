"""Claims what is due and has it delivered, many at a time, and few at a time per host.

A host that hangs keeps only its own share busy. Several replicas work on one outbox: each claims
what no other one has. ``run`` is a task of the gateway's process.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from coxswain.api.deliveries import Claimed
from coxswain.errors import CoxswainError
from coxswain.gateway.callbacks.sending import LEASE_SECONDS
from coxswain.store.deliveries import CHANNEL, Room
from coxswain.store.listener import Listener
from coxswain.telemetry import logs

AT_ONCE = 128
POLL_SECONDS = 1.0
# A moment in which more room comes together costs less than another question.
GATHER_SECONDS = 0.01
DRAIN_SECONDS = 20.0

log = logs.get(__name__)


class Claims(Protocol):
    """Where what is due comes from."""

    async def claim(self, room: Room, lease_seconds: float) -> Sequence[Claimed]:
        """Take what is due, as far as there is room for it."""
        ...


class Delivers(Protocol):
    """What is done with each."""

    async def deliver(self, claimed: Claimed) -> None:
        """Try once, and keep what came of it."""
        ...


class Worker:
    """One for the process, which runs the ``listener``."""

    def __init__(
        self, outbox: Claims, sender: Delivers, listener: Listener, *, per_host: int
    ) -> None:
        self._outbox = outbox
        self._sender = sender
        self._listener = listener
        self._per_host = per_host
        self._under_way: dict[asyncio.Task[None], str] = {}
        self._bug: BaseException | None = None

    async def run(self) -> None:
        """Work until cancelled; what is under way then is brought to its end, for a short while."""
        with self._listener.subscribe(CHANNEL) as wake:
            try:
                while self._bug is None:
                    wake.clear()
                    while claimed := await self._claim():
                        for each in claimed:
                            self._begin(each, wake)
                    await _woken(wake)
                raise self._bug
            finally:
                await self._drain()

    async def _claim(self) -> Sequence[Claimed]:
        total = AT_ONCE - len(self._under_way)
        if total == 0:
            return ()
        room = Room(total, self._per_host, dict(Counter(self._under_way.values())))
        try:
            return await self._outbox.claim(room, LEASE_SECONDS)
        except CoxswainError as error:
            log.warning("the outbox cannot be read", code=error.code)
            return ()

    def _begin(self, claimed: Claimed, wake: asyncio.Event) -> None:
        task = asyncio.create_task(self._deliver(claimed))
        self._under_way[task] = claimed.delivery.host

        def ended(done: asyncio.Task[None]) -> None:
            del self._under_way[done]
            if not done.cancelled() and done.exception() is not None:
                self._bug = done.exception()
            wake.set()

        task.add_done_callback(ended)

    async def _deliver(self, claimed: Claimed) -> None:
        try:
            await self._sender.deliver(claimed)
        except CoxswainError as error:
            # It comes due again when its claim has run out.
            log.exception("a callback was not settled", code=error.code, id=claimed.delivery.id)

    async def _drain(self) -> None:
        if self._under_way:
            await asyncio.wait(tuple(self._under_way), timeout=DRAIN_SECONDS)
        for task in tuple(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)


async def _woken(wake: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(POLL_SECONDS):
            await wake.wait()
    except TimeoutError:
        return
    await asyncio.sleep(GATHER_SECONDS)
