"""A watch on its way through: what each fault makes of its lines."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest

from tests.faults.director import Director
from tests.faults.plan import Deed, Event, Fault
from tests.faults.proxy import relay
from tests.faults.proxy.relay import Relay
from tests.faults.proxy.seen import Trace


class Content:
    """A stream of these pieces, and then its end, or an error in its place."""

    def __init__(self, *pieces: bytes, error: Exception | None = None) -> None:
        self._pieces = pieces
        self._error = error

    async def iter_any(self) -> AsyncIterator[bytes]:
        for each in self._pieces:
            yield each
            await asyncio.sleep(0)
        if self._error is not None:
            raise self._error


class Hands:
    """A process on paper."""

    name = "one"

    def __init__(self) -> None:
        self.done: list[str] = []

    def kill(self) -> None:
        self.done.append("kill")

    def freeze(self, seconds: float) -> None:
        self.done.append(f"freeze {seconds:g}")

    def cut_off(self, seconds: float) -> None:
        self.done.append(f"cut off {seconds:g}")

    def kill_server(self, name: str, seconds: float) -> None:
        self.done.append(f"{name} {seconds:g}")


def _event(name: str, kind: str = "ADDED") -> bytes:
    raw = {"metadata": {"name": name, "uid": name, "resourceVersion": "1"}}
    return orjson.dumps({"type": kind, "object": raw}) + b"\n"


LINES = [_event("a"), _event("b"), _event("c")]


async def _through(
    fault: dict[str, Any] | None, *pieces: bytes, error: Exception | None = None
) -> tuple[str, list[bytes], list[str]]:
    faults: tuple[Fault, ...] = ()
    if fault is not None:
        at = Event(resource="pods", nth=2)
        faults = (Fault.model_validate({"event": at, **fault}),)
    trace, hands = Trace(), Hands()
    written: list[bytes] = []

    async def write(data: bytes) -> None:
        written.append(data)

    one = Relay(Director(faults, trace.now), trace, hands, "pods")
    content: Any = Content(*pieces, error=error)
    return await one.run(content, write), written, hands.done


CASES = [
    (None, "end", LINES, []),
    ({"do": Deed.DROP}, "end", [LINES[0], LINES[2]], []),
    ({"do": Deed.REPEAT}, "end", [LINES[0], LINES[1], LINES[1], LINES[2]], []),
    ({"do": Deed.SWAP, "seconds": 60}, "end", [LINES[0], LINES[2], LINES[1]], []),
    ({"do": Deed.DELAY, "seconds": 0.01}, "end", LINES, []),
    ({"do": Deed.CUT}, "cut", LINES[:1], []),
    ({"do": Deed.END}, "end", LINES[:1], []),
    ({"do": Deed.HUSH, "seconds": 60}, "end", LINES[:1], []),
    ({"do": Deed.KILL}, "cut", LINES[:1], ["kill"]),
    ({"do": Deed.FREEZE, "seconds": 3}, "end", LINES, ["freeze 3"]),
    ({"do": Deed.KILL_APISERVER, "seconds": 3}, "cut", LINES[:1], ["kube-apiserver 3"]),
    ({"do": Deed.KILL_ETCD, "seconds": 3}, "end", LINES, ["etcd 3"]),
]


@pytest.mark.parametrize(
    ("fault", "end", "wanted", "done"),
    CASES,
    ids=[str(each[0] and each[0]["do"]) for each in CASES],
)
async def test_a_fault_changes_the_second_event_and_nothing_else(
    fault: dict[str, Any] | None, end: str, wanted: list[bytes], done: list[str]
) -> None:
    assert await _through(fault, *LINES) == (end, wanted, done)


async def test_half_a_line_is_half_of_it() -> None:
    end, written, _ = await _through({"do": Deed.HALF}, *LINES)
    assert end == "end"
    assert written == [LINES[0], LINES[1][: len(LINES[1]) // 2]]


async def test_an_error_is_an_event_of_its_own() -> None:
    end, written, _ = await _through({"do": Deed.ERROR, "status": 410}, *LINES)
    assert end == "end"
    told = orjson.loads(written[1])
    assert (told["type"], told["object"]["code"], told["object"]["reason"]) == (
        "ERROR",
        410,
        "Expired",
    )


async def test_what_is_held_for_the_next_event_comes_though_there_is_none() -> None:
    assert await _through({"do": Deed.SWAP, "seconds": 60}, *LINES[:2]) == ("end", LINES[:2], [])


async def test_a_bookmark_is_no_event() -> None:
    mark = _event("", "BOOKMARK")
    _, written, _ = await _through({"do": Deed.DROP}, LINES[0], mark, LINES[1], LINES[2])
    assert written == [LINES[0], mark, LINES[2]]


async def test_where_the_api_server_breaks_the_stream_it_breaks() -> None:
    broken = aiohttp.ClientPayloadError()
    assert await _through(None, *LINES, error=broken) == ("cut", LINES, [])


async def test_lines_are_whole_however_they_come() -> None:
    stream = b"".join(LINES)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(stream), 7):
            yield stream[start : start + 7]

    assert [each async for each in relay.split(pieces())] == LINES
