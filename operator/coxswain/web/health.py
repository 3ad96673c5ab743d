"""The port for probes and Prometheus: /healthz, /readyz, /metrics. It needs no identity.

Live means that the event loop turns. Ready means that every dependency without which nothing works
answers; the answer names each that is broken, and with ``?verbose`` tells of all.
"""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from coxswain.telemetry import metrics as measured
from coxswain.web.readiness import Answer, Dependency, Readiness, State

VERBOSE = "verbose"


class Health:
    """How a process is, for the kubelet, for the one on call, and for the other processes."""

    def __init__(self, *dependencies: Dependency) -> None:
        self._readiness = Readiness(dependencies)
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

    async def look(self) -> Sequence[Answer]:
        """Each dependency as it is now, or was a second ago."""
        return await self._readiness.look()

    def is_ready(self, answers: Sequence[Answer]) -> bool:
        """Whether all that is needed answers, and the process is not about to end."""
        missing = [each for each in answers if each.is_needed and each.state is not State.OK]
        return not missing and not self._stopping

    async def _ready(self, request: web.Request) -> web.Response:
        answers = await self.look()
        ready = self.is_ready(answers)
        said: dict[str, Any] = {
            "ready": ready,
            "stopping": self._stopping,
            "broken": broken(answers),
        }
        if VERBOSE in request.query:
            said["checks"] = {each.name: _told(each) for each in answers}
        return web.json_response(said, status=200 if ready else 503)


def broken(answers: Sequence[Answer]) -> list[str]:
    """The names of what is to be mended."""
    return [each.name for each in answers if each.state is State.BROKEN]


def _told(answer: Answer) -> dict[str, Any]:
    said: dict[str, Any] = {
        "state": answer.state.value,
        "needed": answer.is_needed,
        "milliseconds": round(answer.seconds * 1000, 1),
    }
    return {**said, "why": answer.why} if answer.why else said


async def _live(_request: web.Request) -> web.Response:
    return web.Response(text=State.OK.value)


async def _metrics(request: web.Request) -> web.Response:
    body, content_type = measured.page(request.headers.get("Accept", ""))
    return web.Response(body=body, headers={"Content-Type": content_type, "Vary": "Accept"})
