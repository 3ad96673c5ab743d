"""The receiver of the bench takes what is signed, however it is cut into pieces."""

import asyncio
import json

import pytest
from typing_extensions import override

from coxswain.rules import signing
from coxswain.rules.signing import SigningKey
from tests.bench.receiver_process import REFUSED, TAKEN, Connection, Seen

KEY = SigningKey(b"k" * 32)


class Wire(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))


class Line:
    """One connection to a receiver."""

    def __init__(self, seen: Seen) -> None:
        self.wire = Wire()
        self.connection = Connection(seen)
        self.connection.connection_made(self.wire)

    def send(self, *pieces: bytes) -> list[bytes]:
        for piece in pieces:
            self.connection.data_received(piece)
        return self.wire.written


@pytest.fixture
def seen() -> Seen:
    return Seen(KEY)


def message(name: str = "one", body: bytes = b"{}", key: SigningKey = KEY) -> bytes:
    signed = signing.headers(name, 1_700_000_000, body, [key])
    lines = [f"{header}: {value}" for header, value in signed.items()]
    head = "\r\n".join(["POST /hook HTTP/1.1", f"Content-Length: {len(body)}", *lines])
    return head.encode() + b"\r\n\r\n" + body


def told(seen: Seen) -> dict[str, float]:
    found: dict[str, float] = json.loads(seen.told().partition(b"\r\n\r\n")[2])
    return found


def test_a_signed_message_is_taken(seen: Seen) -> None:
    assert Line(seen).send(message()) == [TAKEN]
    assert told(seen)["messages"] == 1


def test_a_message_that_is_signed_by_another_is_refused(seen: Seen) -> None:
    assert Line(seen).send(message(key=SigningKey(b"o" * 32))) == [REFUSED]
    assert (told(seen)["messages"], told(seen)["refused"]) == (0, 1)


def test_a_message_may_come_byte_by_byte(seen: Seen) -> None:
    pieces = [bytes([each]) for each in message(body=b"a body")]
    assert Line(seen).send(*pieces) == [TAKEN]


def test_two_messages_may_come_at_once(seen: Seen) -> None:
    assert Line(seen).send(message("one") + message("two")) == [TAKEN, TAKEN]
    assert told(seen)["messages"] == 2


def test_a_message_that_comes_again_is_counted_apart(seen: Seen) -> None:
    line = Line(seen)
    line.send(message(), message())
    assert (told(seen)["messages"], told(seen)["again"]) == (1, 1)


def test_connections_are_counted(seen: Seen) -> None:
    Line(seen).send(message("one"))
    Line(seen).send(message("two"))
    assert told(seen)["connections"] == 2


def test_who_asks_is_told_and_adds_nothing(seen: Seen) -> None:
    line = Line(seen)
    line.send(message(), b"GET /seen HTTP/1.1\r\nHost: x\r\n\r\n")
    assert json.loads(line.wire.written[-1].partition(b"\r\n\r\n")[2])["messages"] == 1
    assert told(seen)["messages"] == 1
