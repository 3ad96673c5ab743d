"""A server's certificate that may change while it serves: who connects after a change sees the new one.

The files are looked at every few seconds. A new pair is tried before it is served; one that is
unreadable, or a certificate whose key is another's, is told of and the former one stays. What is
connected goes on as it began.
"""

import asyncio
import hashlib
import ssl
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NamedTuple

from coxswain.errors import ConfigurationError
from coxswain.telemetry import logs

log = logs.get(__name__)

CHECK_SECONDS = 2.0


class Pair(NamedTuple):
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


class Certificate:
    """What a server shows. ``context`` is for its port, and stays the same."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._seen, self._current = self._read()
        self.context = _context()
        # The port needs a whole context of its own; each connection is given the one that is current.
        self.context.load_cert_chain(*pair)
        self.context.sni_callback = self._choose

    async def run(self, period: float = CHECK_SECONDS) -> None:
        """Follow the files until cancelled."""
        while True:
            await asyncio.sleep(period)
            self.follow()

    def follow(self) -> bool:
        """Serve what the files hold from now on; tell whether that is new."""
        try:
            seen = self._digest()
            if seen == self._seen:
                return False
            self._seen, self._current = self._read()
        except (OSError, ConfigurationError) as error:
            log.warning("the certificate cannot be read; the former one is served", why=str(error))
            return False
        log.info("a new certificate is served")
        return True

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _of: ssl.SSLContext) -> None:
        connection.context = self._current

    def _digest(self) -> str:
        return hashlib.sha256(b"\0".join(each.read_bytes() for each in self._pair)).hexdigest()

    def _read(self) -> tuple[str, ssl.SSLContext]:
        """The pair as it is now. Raises ConfigurationError if it is none."""
        context = _context()
        try:
            seen = self._digest()
            context.load_cert_chain(*self._pair, password=_no_password)
        except (OSError, ValueError) as error:
            place = f"{self._pair.certificate}, {self._pair.key}"
            raise ConfigurationError(f"{place}: no certificate with its key: {error}") from error
        return seen, context


def of_files(certificate: Path | None, key: Path | None) -> Certificate | None:
    """What a server shows, if it is given anything. Raises ConfigurationError if it cannot be read."""
    if certificate is None or key is None:
        return None
    return Certificate(Pair(certificate, key))


def following(*shown: Certificate | None) -> list[Coroutine[Any, Any, None]]:
    """A task for each that there is, which lets a new one take its place."""
    return [each.run() for each in shown if each is not None]


def context_of(shown: Certificate | None) -> ssl.SSLContext | None:
    """What a port needs: none where nothing is shown, so that it is plain."""
    return None if shown is None else shown.context


def _no_password() -> str:
    # Without this, OpenSSL would ask whoever sits at the terminal.
    raise ValueError("the key is encrypted")


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
