"""What the kubelet asks the door: may the program start, and may it go on?

It asks at the pod's own address, so this is the one server here that is not on localhost alone. It
says nothing else to anybody.
"""

import asyncio
import contextlib
import socket
from types import TracebackType
from typing import Self

from aiohttp import web

from coxswain import names


class Signs:
    """Serves from ``async with`` on."""

    def __init__(self, port: int = 0) -> None:
        self.may_start = False
        self.may_go_on = True
        self.has_begun = asyncio.Event()
        """Set once the kubelet has asked after a program that runs."""
        self.port = port

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get(names.SIGN_STARTED, self._started)
        application.router.add_get(names.SIGN_ALIVE, self._alive)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.SockSite(self._runner, _listening(self.port)).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    async def _started(self, _: web.Request) -> web.Response:
        return _say(self.may_start, "the run is not claimed yet")

    async def _alive(self, _: web.Request) -> web.Response:
        self.has_begun.set()
        return _say(self.may_go_on, "the run is over")


def _listening(port: int) -> socket.socket:
    """At every address of the pod; a pod without IPv6 has a kernel that may speak of it all the same."""
    if socket.has_dualstack_ipv6():
        with contextlib.suppress(OSError):
            family = socket.AF_INET6
            return socket.create_server(("", port), family=family, dualstack_ipv6=True)
    return socket.create_server(("", port))


def _say(is_so: bool, otherwise: str) -> web.Response:
    return web.Response(text="yes") if is_so else web.Response(text=otherwise, status=503)
