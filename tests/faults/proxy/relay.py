"""One watch on its way through: line by line, but where a fault is due."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, Literal

import aiohttp
import orjson

from tests.faults.director import Director
from tests.faults.plan import SERVERS, Deed, Fault
from tests.faults.proxy import statuses
from tests.faults.proxy.hands import Hands
from tests.faults.proxy.seen import Body, Told, Trace

Write = Callable[[bytes], Awaitable[None]]
End = Literal["", "end", "cut"]


class Relay:
    """Passes the events of a stream on. ``run`` tells how it ended."""

    def __init__(self, director: Director, trace: Trace, hands: Hands, resource: str) -> None:
        self._director = director
        self._trace = trace
        self._hands = hands
        self._resource = resource
        self._held: list[bytes] = []
        self._held_until = 0.0
        self._hushed_until = 0.0

    async def run(self, content: aiohttp.StreamReader, write: Write) -> End:
        """Until the API server ends it, or a fault does."""
        lines: asyncio.Queue[bytes | End] = asyncio.Queue()
        reading = asyncio.create_task(_read(content, lines))
        try:
            while True:
                line = await self._next(lines, write)
                if isinstance(line, str):
                    await self._let_go(write)
                    return line
                if end := await self._pass(line, write):
                    return end
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading

    async def _next(self, lines: "asyncio.Queue[bytes | End]", write: Write) -> bytes | End:
        """The next line, or how the API server has ended the stream.

        What is held for it is let go when it does not come in time.
        """
        if not self._held:
            return await lines.get()
        left = self._held_until - self._trace.now()
        try:
            return await asyncio.wait_for(lines.get(), max(0.0, left))
        except TimeoutError:
            await self._let_go(write)
            return await lines.get()

    async def _pass(self, line: bytes, write: Write) -> End:
        event: Body = orjson.loads(line)
        kind, raw = event["type"], event["object"]
        fault: Fault | None = None
        if kind not in ("BOOKMARK", "ERROR"):
            self._trace.told.append(
                Told(self._trace.now(), self._hands.name, self._resource, kind, raw)
            )
            name = str(raw["metadata"].get("name", ""))
            fault = self._director.on_event(self._hands.name, self._resource, kind, name)
        if fault is None:
            if self._trace.now() >= self._hushed_until:
                await write(line)
                await self._let_go(write)
            return ""
        return await self._instead(fault, line, write)

    async def _instead(self, fault: Fault, line: bytes, write: Write) -> End:
        match fault.do:
            case Deed.KILL:
                self._hands.kill()
                return "cut"
            case Deed.KILL_APISERVER:
                self._hands.kill_server(SERVERS[fault.do], fault.seconds or 0.0)
                return "cut"
            case Deed.CUT:
                return "cut"
            case Deed.END:
                return "end"
            case Deed.HALF:
                await write(line[: len(line) // 2])
                return "end"
            case Deed.ERROR:
                refusal = statuses.body(fault.status or 500)
                await write(orjson.dumps({"type": "ERROR", "object": refusal}) + b"\n")
                return "end"
            case _:
                if await self._goes_on(fault, line, write):
                    await write(line)
                    await self._let_go(write)
                return ""

    async def _goes_on(self, fault: Fault, line: bytes, write: Write) -> bool:
        """Whether the event comes through now, and the stream goes on either way."""
        seconds = fault.seconds or 0.0
        match fault.do:
            case Deed.DROP:
                return False
            case Deed.HUSH:
                self._hushed_until = self._trace.now() + seconds
                return False
            case Deed.SWAP:
                self._held.append(line)
                self._held_until = self._trace.now() + seconds
                return False
            case Deed.DELAY:
                await asyncio.sleep(seconds)
            case Deed.FREEZE:
                self._hands.freeze(seconds)
            case Deed.KILL_ETCD:
                self._hands.kill_server(SERVERS[fault.do], seconds)
            case Deed.REPEAT:
                await write(line)
            case _:
                raise ValueError(f"{fault.do} is not for events")
        return True

    async def _let_go(self, write: Write) -> None:
        held, self._held = self._held, []
        for line in held:
            await write(line)


async def _read(content: Any, lines: "asyncio.Queue[bytes | End]") -> None:
    end: End = "end"
    try:
        async for line in split(content.iter_any()):
            await lines.put(line)
    except aiohttp.ClientError:
        end = "cut"
    finally:
        lines.put_nowait(end)


async def split(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Whole lines of a stream, however it comes, each with its end; what is no line is left out."""
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line:
                yield line + b"\n"
