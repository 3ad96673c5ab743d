"""A receiver of callbacks that costs little: `python -m tests.bench.receiver_process KEY`, the port on its output.

It takes every POST whose signature is right, and says on GET what came. A web framework would use
more CPU than who is measured.
"""

import asyncio
import sys
import time
from collections import Counter

import orjson
from typing_extensions import override

from coxswain.rules import signing
from coxswain.rules.signing import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, SigningKey

TAKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
REFUSED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"


class Seen:
    """What came so far."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key
        self._ids: Counter[str] = Counter()
        self._refused = 0
        self.connections = 0
        self._first = self._last = 0.0

    def take(self, headers: dict[str, str], body: bytes) -> bytes:
        """The answer to a message."""
        if not self._is_signed(headers, body):
            self._refused += 1
            return REFUSED
        self._last = time.monotonic()
        self._first = self._first or self._last
        self._ids[headers[ID_HEADER]] += 1
        return TAKEN

    def told(self) -> bytes:
        """How many came, came again, were refused, over how many connections, and from when to when."""
        body = orjson.dumps(
            {
                "messages": len(self._ids),
                "again": self._ids.total() - len(self._ids),
                "refused": self._refused,
                "connections": self.connections,
                "first": self._first,
                "last": self._last,
            }
        )
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    def _is_signed(self, headers: dict[str, str], body: bytes) -> bool:
        wanted = signing.headers(
            headers[ID_HEADER], int(headers[TIMESTAMP_HEADER]), body, [self._key]
        )
        return headers.get(SIGNATURE_HEADER) == wanted[SIGNATURE_HEADER]


class Connection(asyncio.Protocol):
    """Requests one after the other, each with its length."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._rest = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._seen.connections += 1

    @override
    def data_received(self, data: bytes) -> None:
        self._rest += data
        while (end := self._rest.find(b"\r\n\r\n")) >= 0:
            request, *lines = self._rest[:end].decode().split("\r\n")
            pairs = (line.partition(":") for line in lines)
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            whole = end + 4 + int(headers.get("content-length", 0))
            if len(self._rest) < whole:
                return
            body, self._rest = self._rest[end + 4 : whole], self._rest[whole:]
            is_post = request.startswith("POST")
            self._transport.write(self._seen.take(headers, body) if is_post else self._seen.told())


async def main() -> None:
    """Serve until the input ends."""
    seen = Seen(signing.read(sys.argv[1]))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(seen), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
