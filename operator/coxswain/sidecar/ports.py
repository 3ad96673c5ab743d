"""The API's ports: the agents' door, one for users over TLS where there is a certificate, one that leads there.

Inside the cluster the door is plain, or over TLS with a certificate of its own.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from coxswain.settings import SidecarSettings
from coxswain.web import certificates, redirect, server
from coxswain.web.certificates import Certificate
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


@dataclass(frozen=True)
class Shown:
    """The certificates: for users, and for the door; both follow their files."""

    users: Certificate | None
    door: Certificate | None


def certificates_of(given: SidecarSettings) -> Shown:
    """What is shown. Raises ConfigurationError if one cannot be read."""
    return Shown(
        certificates.of_files(given.certificate_file, given.certificate_key_file),
        certificates.of_files(given.door_certificate_file, given.door_certificate_key_file),
    )


@asynccontextmanager
async def opened(
    app: web.Application, given: SidecarSettings, shown: Shown
) -> AsyncIterator[Opened]:
    """All of them for the length of a block."""
    async with AsyncExitStack() as stack:
        wanted, leads = [Opening(given.port, certificates.context_of(shown.door))], None
        if shown.users is not None:
            wanted.append(Opening(given.https_port, shown.users.context))
        ports = await stack.enter_async_context(server.serving_all(app, given.bind, wanted))
        if given.redirect_port is not None:
            plain = redirect.build(given.redirect_to)
            plain[server.NAME] = "redirect"
            serving = server.serving(plain, given.bind, given.redirect_port)
            leads = await stack.enter_async_context(serving)
        yield Opened(ports[0], ports[1] if shown.users is not None else None, leads)
