"""Waits in the line of a lease on behalf of a request. The place is a row; the request holds nothing."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import web

from coxswain.api.records import Lease
from coxswain.errors import ConflictError, CoxswainError
from coxswain.rules import leasing
from coxswain.store.leases import lines
from coxswain.store.leases.holding import GRACE_SECONDS, LOOK_SECONDS, Refused, Wanted
from coxswain.store.listener import Listener
from coxswain.store.pool import Store
from coxswain.telemetry import metrics

Ask = Callable[[Wanted], Awaitable[Lease | Refused]]


async def acquire(
    store: Store, listener: Listener, request: web.Request, wanted: Wanted, ask: Ask
) -> Lease:
    """The lease, as soon as it is one's turn within the time to wait. Raises what refuses it.

    Who has hung up is given nothing and leaves the line.
    """
    began, outcome = time.monotonic(), "refused"
    try:
        lease = await _stand_in_line(store, listener, request, wanted, ask)
        outcome = "given"
        return lease
    finally:
        if wanted.wait_seconds > 0:
            outcome = "gone" if outcome == "refused" and _is_gone(request) else outcome
            metrics.LEASE_WAIT_SECONDS.labels(outcome).observe(time.monotonic() - began)


async def _stand_in_line(
    store: Store, listener: Listener, request: web.Request, wanted: Wanted, ask: Ask
) -> Lease:
    until = time.monotonic() + wanted.wait_seconds
    last: Refused | None = None
    with listener.subscribe(lines.CHANNEL) as spoken:
        while True:
            left = max(0.0, until - time.monotonic())
            answer = await ask(wanted._replace(wait_seconds=left))
            if isinstance(answer, Lease):
                return answer
            if answer.ahead is None:
                raise answer.why if last is None else _in_line(answer.why, last.ahead)
            last = answer
            # What ends by time alone is told by nobody, so it is looked at now and then.
            with suppress(TimeoutError):
                async with asyncio.timeout(min(LOOK_SECONDS, left)):
                    await spoken.wait()
            spoken.clear()
            if _is_gone(request):
                await _leave(store, wanted, last)
                raise last.why


def _is_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


async def _leave(store: Store, wanted: Wanted, last: Refused) -> None:
    if last.until is not None:
        await store.transact(lines.give_up, wanted.place, wanted.holder.text, last.until)


def _in_line(why: CoxswainError, ahead: int | None) -> CoxswainError:
    if why.code not in leasing.WAITABLE:
        return why
    text = (
        f"{why.message}; {ahead} stand ahead of you, and your place is kept if you ask again within"
        f" {GRACE_SECONDS:.0f} s"
    )
    return ConflictError(text, code=why.code)
