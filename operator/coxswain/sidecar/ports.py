"""The API's ports: the plain one, one over TLS where there is a certificate, and one that leads there."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from coxswain.settings import SidecarSettings
from coxswain.web import redirect, server
from coxswain.web.certificates import Certificate, Pair
from coxswain.web.server import Opening


@dataclass(frozen=True)
class Opened:
    """What was really opened."""

    api: int
    https: int | None = None
    redirect: int | None = None

    @property
    def named(self) -> dict[str, int]:
        """Those that are open, each by what it is for."""
        found = {"api": self.api, "https": self.https, "redirect": self.redirect}
        return {name: port for name, port in found.items() if port is not None}


def certificate(given: SidecarSettings) -> Certificate | None:
    """What users are shown, if anything. Raises ConfigurationError if it cannot be read."""
    if given.certificate_file is None or given.certificate_key_file is None:
        return None
    return Certificate(Pair(given.certificate_file, given.certificate_key_file))


@asynccontextmanager
async def opened(
    app: web.Application, given: SidecarSettings, shown: Certificate | None
) -> AsyncIterator[Opened]:
    """All of them for the length of a block."""
    async with AsyncExitStack() as stack:
        wanted, leads = [Opening(given.port)], None
        if shown is not None:
            wanted.append(Opening(given.https_port, shown.context))
        ports = await stack.enter_async_context(server.serving_all(app, given.bind, wanted))
        if given.redirect_port is not None:
            plain = redirect.build(given.redirect_to)
            plain[server.NAME] = "redirect"
            serving = server.serving(plain, given.bind, given.redirect_port)
            leads = await stack.enter_async_context(serving)
        yield Opened(ports[0], ports[1] if shown is not None else None, leads)
