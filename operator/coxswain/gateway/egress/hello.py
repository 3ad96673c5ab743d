"""What the client says first in its tunnel: TLS, and in it the name of the very host it asked for."""

import asyncio

from coxswain.errors import ForbiddenError, UserError
from coxswain.gateway.egress.asking import READ_BYTES, Asked
from coxswain.rules import addresses, client_hello, egress
from coxswain.rules.client_hello import ClientHello, NotAHelloError

HELLO_SECONDS = 10.0
NOT_TLS = "tls_required"
OTHER_NAME = "server_name_mismatch"


async def read(reader: asyncio.StreamReader, asked: Asked) -> tuple[bytes, ClientHello]:
    """All that came up to the end of the hello, and what it says.

    Raises UserError tls_required, ForbiddenError server_name_mismatch.
    """
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            data, said = await _whole(reader, asked.early)
    except TimeoutError as error:
        raise _not_tls("nothing came in time") from error
    except NotAHelloError as error:
        raise _not_tls(str(error)) from error
    name = said.server_name
    # Clients send no name for an address.
    is_right = (
        addresses.read(asked.host) is not None
        if name is None
        else egress.normal(name) == asked.host
    )
    if not is_right:
        raise ForbiddenError(
            f"the tunnel was asked for {asked.host}, but TLS in it asks for"
            f" {name or 'no name at all'}: set the server name to the host",
            code=OTHER_NAME,
        )
    return data, said


async def _whole(reader: asyncio.StreamReader, data: bytes) -> tuple[bytes, ClientHello]:
    while (found := client_hello.read(data)) is None:
        more = await reader.read(READ_BYTES)
        if not more:
            raise NotAHelloError("the client ended before its hello")
        data += more
    return data, found


def _not_tls(why: str) -> UserError:
    return UserError(f"only TLS goes through this door: {why}", code=NOT_TLS)
