"""Follows a stream over every cut: it goes on after the last whole frame, with no gap and no repeat."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

from coxswain.client.asynchronous.transport import Transport
from coxswain.client.errors import ClientError, LostAnswerError, UnreadableError
from coxswain.client.frames import CLOSED, RESYNC, Frame, Parser
from coxswain.client.models import EventView, ResyncView
from coxswain.client.requests import Request

LIVE = {"Accept": "text/event-stream"}
OVER = 204


class Following:
    """One stream, from a position on; ``position`` is where it would go on now."""

    def __init__(self, transport: Transport, request: Request[Any], position: int | None) -> None:
        self._transport = transport
        self._request = request
        self._retries = transport.retries()
        self.position = position

    async def items(self) -> AsyncGenerator[EventView | ResyncView, None]:
        """Events, and the mark where some were dropped before they were read.

        Ends where the platform says that nothing more comes. Raises the ClientError that a new
        connection ends with for good.
        """
        while True:
            parser = Parser()
            try:
                async with self._transport.opened(self._next()) as response:
                    if response.status_code == OVER:
                        return
                    async for data in response.aiter_bytes():
                        for frame in self._received(parser, data):
                            if self._is_new(frame):
                                yield _item(frame)
                raise LostAnswerError("the stream ended")
            except ClientError as error:
                pause = self._retries.pause_after(error, may_repeat=True)
                if pause is None:
                    raise
            await self._transport.sleep(max(pause, parser.retry_seconds or 0.0))

    def _next(self) -> Request[Any]:
        headers = dict(LIVE)
        if self.position is not None:
            headers["Last-Event-ID"] = str(self.position)
        return replace(self._request, headers=headers)

    def _received(self, parser: Parser, data: bytes) -> list[Frame]:
        """What comes says that all is well, but for a greeting, which each connection begins with, and the mark
        of an end: its reader asks anew who he is.
        """
        beats, frames = parser.beats, parser.feed(data)
        came = bool(frames) or parser.beats > beats
        if came and not any(frame.name == CLOSED for frame in frames):
            self._retries.reset()
        return [frame for frame in frames if frame.name != CLOSED]

    def _is_new(self, frame: Frame) -> bool:
        """Whether it is to be given; frames without a position that a newer platform adds are not."""
        if frame.position is None:
            return frame.name == RESYNC
        if self.position is not None and frame.position <= self.position:
            return False
        self.position = frame.position
        return True


def _item(frame: Frame) -> EventView | ResyncView:
    kind: type[EventView] | type[ResyncView] = ResyncView if frame.name == RESYNC else EventView
    try:
        return kind.of_other_version(frame.data)
    except ValueError as error:
        raise UnreadableError(f"a frame of the stream is no {kind.__name__}: {error}") from error
