"""What a client asks the door for: the head of its request, read within bounds of size and time.

Only CONNECT is served. TLS goes through untouched, so the door sees names and amounts, no content.
"""

import asyncio
import base64
import re
from dataclasses import dataclass, field

import h11

from coxswain.errors import UnauthenticatedError, UserError
from coxswain.rules import egress

HEAD_BYTES = 32_768
READ_BYTES = 65_536
NOT_CONNECT = "connect_only"
BAD_TARGET = "target_invalid"
BAD_REQUEST = "malformed"
TOKEN_MISSING = "token_missing"  # noqa: S105 - a code
_HOST = re.compile(r"[-_.:a-z0-9]{1,253}")
_BASIC, _BEARER = "basic", "bearer"


@dataclass(frozen=True)
class Asked:
    """A request for a tunnel. ``early`` is what the client sent without waiting for an answer."""

    host: str
    port: int
    authorization: str = field(repr=False)
    early: bytes = b""

    @property
    def token(self) -> str:
        """The token, however the client sent it. Raises UnauthenticatedError."""
        scheme, _, given = self.authorization.partition(" ")
        found = given.strip()
        if scheme.lower() == _BASIC:
            found = _password(found)
        elif scheme.lower() != _BEARER:
            found = ""
        if not found or not found.isascii():
            raise UnauthenticatedError(
                "send Proxy-Authorization: Bearer with the pod's token, or Basic with it as the"
                " password",
                code=TOKEN_MISSING,
            )
        return found


async def read(reader: asyncio.StreamReader) -> Asked | None:
    """The request; None if the client went away first. Raises UserError for what is not served."""
    parser = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)
    try:
        while (event := parser.next_event()) is h11.NEED_DATA:
            data = await reader.read(READ_BYTES)
            if not data:
                return None
            parser.receive_data(data)
    except h11.RemoteProtocolError as error:
        raise UserError(f"this is no HTTP request: {error}", code=BAD_REQUEST) from error
    if not isinstance(event, h11.Request):
        return None
    return _asked(event, parser.trailing_data[0])


def _asked(request: h11.Request, early: bytes) -> Asked:
    if request.method != b"CONNECT":
        raise UserError(
            "this door takes CONNECT only: ask for https:// instead of http://, and set HTTPS_PROXY"
            " rather than HTTP_PROXY",
            code=NOT_CONNECT,
        )
    headers = {bytes(name): bytes(value) for name, value in request.headers}
    host, port = _target(bytes(request.target).decode("latin-1"))
    return Asked(
        host=host,
        port=port,
        authorization=headers.get(b"proxy-authorization", b"").decode("latin-1"),
        early=bytes(early),
    )


def _target(target: str) -> tuple[str, int]:
    host, _, port = target.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        host = ""
    host = egress.normal(host)
    if not _HOST.fullmatch(host) or not re.fullmatch("[0-9]{1,5}", port):
        raise UserError(
            "CONNECT names a host and a port, such as api.example.com:443", code=BAD_TARGET
        )
    return host, int(port)


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode("latin-1").partition(":")[2]
    except ValueError:
        # No base64, or letters that no base64 has.
        return ""
