"""A server of a test's own on loopback, for as long as it is entered."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, ClassVar, Self

from aiohttp import web


class Served(ABC):
    """``url`` is where it serves what ``_application`` makes."""

    RUNNER: ClassVar[dict[str, Any]] = {}
    """How aiohttp runs it."""
    url: str = ""

    @abstractmethod
    def _application(self) -> web.Application:
        """What is served, made anew for each time that it is entered."""

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self._application(), **self.RUNNER)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()
