"""Readers of live streams, as a client reads them."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

LIVE = {"Accept": "text/event-stream"}
SECONDS = 30.0


@dataclass(frozen=True)
class Frame:
    """One event of a stream; its name is empty where it has none."""

    name: str
    position: int | None
    data: dict[str, Any]


class Reader:
    """Reads the frames of a stream, one by one. ``retry`` is what it was told to wait, in milliseconds."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer
        self.retry: int | None = None
        self.pings = 0

    async def next(self) -> Frame | None:
        """The next frame; None at the end of the stream."""
        async with asyncio.timeout(SECONDS):
            while (fields := await self._fields()) is not None:
                if "retry" in fields:
                    self.retry = int(fields["retry"])
                if "data" in fields:
                    position = int(fields["id"]) if "id" in fields else None
                    return Frame(fields.get("event", ""), position, json.loads(fields["data"]))
        return None

    async def take(self, count: int) -> list[Frame]:
        """So many frames."""
        found = [await self.next() for _ in range(count)]
        return [each for each in found if each is not None]

    async def rest(self) -> list[Frame]:
        """All frames up to the end."""
        found: list[Frame] = []
        while (frame := await self.next()) is not None:
            found.append(frame)
        return found

    async def _fields(self) -> dict[str, str] | None:
        """The fields of one block; None at the end of the stream."""
        fields: dict[str, str] = {}
        while line := (await self.answer.content.readline()).decode():
            text = line.rstrip("\r\n")
            if text.startswith(":"):
                self.pings += 1
            elif text:
                name, _, value = text.partition(": ")
                fields[name] = value
            else:
                return fields
        return None


@asynccontextmanager
async def reading(
    session: aiohttp.ClientSession,
    path: str,
    after: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[Reader]:
    """A stream that is open for the length of a block; ``after`` goes as Last-Event-ID."""
    known = LIVE | dict(headers or {}) | ({} if after is None else {"Last-Event-ID": str(after)})
    async with session.get(path, headers=known) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "text/event-stream"
        yield Reader(answer)
