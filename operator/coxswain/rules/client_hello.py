"""The first words of a TLS client: which server name it asks for (RFC 8446, RFC 6066).

Read strictly: what does not fit is refused, and so is a name that stands twice.
"""

from dataclasses import dataclass

RECORD_BYTES = 5
HANDSHAKE_BYTES = 4
MAJOR_VERSION = 3
HANDSHAKE = 22
CLIENT_HELLO = 1
SERVER_NAME = 0
ENCRYPTED_CLIENT_HELLO = 0xFE0D
HOST_NAME = 0
# A hello is a few hundred bytes; with keys that withstand quantum computers, a few thousand.
MOST_BYTES = 16_384
# It may come in pieces; in very many it would only cost time.
MOST_RECORDS = 16


class NotAHelloError(ValueError):
    """Not a TLS client, or none that follows the standard."""


@dataclass(frozen=True)
class ClientHello:
    """What can be seen of it. ``is_encrypted``: it may hold another name that we cannot see."""

    server_name: str | None
    is_encrypted: bool = False


def read(data: bytes) -> ClientHello | None:
    """The hello at the beginning of a stream; None while it is not whole yet.

    Raises NotAHelloError as soon as it cannot become one.
    """
    message = _message(data)
    if message is None:
        return None
    try:
        return _hello(_Reader(message))
    except (IndexError, UnicodeDecodeError) as error:
        raise NotAHelloError("the hello is cut short or not in its form") from error


def _message(data: bytes) -> bytes | None:
    """The handshake message, put together from as many records as it takes."""
    message, place = b"", 0
    for _ in range(MOST_RECORDS):
        if place >= len(data):
            return None
        head = data[place : place + RECORD_BYTES]
        if head[0] != HANDSHAKE or head[1:2] not in (b"", bytes([MAJOR_VERSION])):
            raise NotAHelloError("this is not TLS")
        if len(head) < RECORD_BYTES:
            return None
        length = int.from_bytes(head[3:], "big")
        if not 0 < length <= MOST_BYTES:
            raise NotAHelloError("a record has an impossible length")
        place += RECORD_BYTES
        message += data[place : place + length]
        place += length
        if (whole := _whole(message)) is not None:
            return whole
    raise NotAHelloError("the hello comes in too many pieces")


def _whole(message: bytes) -> bytes | None:
    if message and message[0] != CLIENT_HELLO:
        raise NotAHelloError("this is not a hello")
    if len(message) < HANDSHAKE_BYTES:
        return None
    size = int.from_bytes(message[1:HANDSHAKE_BYTES], "big")
    if size > MOST_BYTES:
        raise NotAHelloError("the hello is too large")
    if len(message) < HANDSHAKE_BYTES + size:
        return None
    return message[HANDSHAKE_BYTES : HANDSHAKE_BYTES + size]


class _Reader:
    """Takes parts from the front. IndexError: there is less than was said."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __bool__(self) -> bool:
        return bool(self._data)

    def take(self, count: int) -> bytes:
        if count > len(self._data):
            raise IndexError(count)
        taken, self._data = self._data[:count], self._data[count:]
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def part(self, size: int) -> "_Reader":
        """A part that begins with its length, which has ``size`` bytes."""
        return _Reader(self.take(self.number(size)))


def _hello(reader: _Reader) -> ClientHello:
    reader.take(2 + 32)  # version, random
    reader.part(1)  # session
    reader.part(2)  # ciphers
    reader.part(1)  # compressions
    extensions = reader.part(2) if reader else _Reader(b"")
    seen: dict[int, _Reader] = {}
    while extensions:
        kind = extensions.number(2)
        if kind in seen:
            raise NotAHelloError("an extension stands twice")
        seen[kind] = extensions.part(2)
    if reader:
        raise NotAHelloError("something stands after the hello")
    name = _server_name(seen[SERVER_NAME]) if SERVER_NAME in seen else None
    return ClientHello(name, ENCRYPTED_CLIENT_HELLO in seen)


def _server_name(reader: _Reader) -> str:
    names = reader.part(2)
    if reader or names.number(1) != HOST_NAME:
        raise NotAHelloError("the server name is not in its form")
    found = names.take(names.number(2)).decode("ascii")
    if names or not found:
        raise NotAHelloError("more than one server name, or an empty one")
    return found
