"""The port for probes and Prometheus: /healthz, /readyz, /metrics. It needs no identity.

Live means that the event loop turns. Ready means that every dependency without which nothing works
answers; the answer names each that does not.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from aiohttp import web

from coxswain.errors import CoxswainError
from coxswain.telemetry import metrics as measured

CHECK_SECONDS = 3.0
OK = "ok"
Check: TypeAlias = Callable[[], Awaitable[None]]


class Health:
    """What a process depends on. ``helpful`` ones are told of, and do not make it unready."""

    def __init__(self, needed: Mapping[str, Check], helpful: Mapping[str, Check]) -> None:
        self._needed = needed
        self._helpful = helpful
        self._stopping = False

    def stop(self) -> None:
        """Not ready from now on: the process is about to end."""
        self._stopping = True

    def app(self, *, metrics: bool = True) -> web.Application:
        """The server of this port; without ``metrics`` it has no page for Prometheus."""
        app = web.Application()
        app.router.add_get("/healthz", _live)
        app.router.add_get("/readyz", self._ready)
        if metrics:
            app.router.add_get("/metrics", _metrics)
        return app

    async def state(self) -> dict[str, str]:
        """Each dependency with ok or what is wrong with it."""
        checks = {**self._needed, **self._helpful}
        found = await asyncio.gather(*(_ask(check) for check in checks.values()))
        state = dict(zip(checks, found, strict=True))
        for name, said in state.items():
            measured.DEPENDENCY_UP.labels(dependency=name).set(said == OK)
        return state

    async def _ready(self, _request: web.Request) -> web.Response:
        state = await self.state()
        broken = [name for name in self._needed if state[name] != OK]
        ready = not broken and not self._stopping
        return web.json_response(
            {"ready": ready, "stopping": self._stopping, "broken": broken, "checks": state},
            status=200 if ready else 503,
        )


async def _ask(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except CoxswainError as error:
        return error.message
    except TimeoutError:
        return "no answer in time"
    return OK


async def _live(_request: web.Request) -> web.Response:
    return web.Response(text=OK)


async def _metrics(request: web.Request) -> web.Response:
    body, content_type = measured.page(request.headers.get("Accept", ""))
    return web.Response(body=body, headers={"Content-Type": content_type, "Vary": "Accept"})
