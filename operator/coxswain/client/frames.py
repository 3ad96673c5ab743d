"""Server-sent events, read from bytes as they come. Pure.

Only whole frames are given: what a cut connection left of one is never seen.
"""

import json
from dataclasses import dataclass
from typing import Any

from coxswain.client.errors import UnreadableError

RESYNC = "resync"
CLOSED = "closed"
FRAME_BYTES = 16_777_216


@dataclass(frozen=True)
class Frame:
    """One message of a stream."""

    name: str
    """Empty for a plain message."""
    position: int | None
    """Where to go on after it."""
    data: dict[str, Any]


class Parser:
    """Of one connection."""

    def __init__(self) -> None:
        self._rest = b""
        self._fields: dict[str, str] = {}
        self._size = 0
        self.retry_seconds: float | None = None
        """The wait before the next connection that the platform asked for."""
        self.beats = 0
        """How often the platform said that it is there, and no more."""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are whole now. Raises UnreadableError for what is no such stream."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        found = [frame for line in lines if (frame := self._line(line)) is not None]
        if len(self._rest) + self._size > FRAME_BYTES:
            raise UnreadableError(f"a frame of the stream is larger than {FRAME_BYTES} bytes")
        return found

    def _line(self, line: bytes) -> Frame | None:
        text = line.removesuffix(b"\r").decode(errors="replace")
        if not text:
            return self._whole()
        name, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if name == "data" and "data" in self._fields:
            value = f"{self._fields['data']}\n{value}"
        if name == "retry" and value.isdecimal():
            self.retry_seconds = int(value) / 1000
        elif not name:
            self.beats += 1
        else:
            self._fields[name] = value
            self._size += len(text)
        return None

    def _whole(self) -> Frame | None:
        fields, self._fields, self._size = self._fields, {}, 0
        if "data" not in fields:
            return None
        position = fields.get("id", "")
        try:
            data = json.loads(fields["data"])
        except (ValueError, RecursionError) as error:
            raise UnreadableError("a frame of the stream is no JSON") from error
        return Frame(
            name=fields.get("event", ""),
            position=int(position) if position.isdecimal() else None,
            data=data if isinstance(data, dict) else {"value": data},
        )
