"""The frames of live streams that are no events: how to come back, what was missed, what a model says, why it ends.

None has an id, so a reader's position stays what it was. And a memory of the frames that are events.
"""

import json
import random
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeAlias

from coxswain.errors import CoxswainError
from coxswain.sidecar import views
from coxswain.sidecar.wire import DeltaView, LaggedView, ResyncView
from coxswain.store.deltas import Piece
from coxswain.store.events import Resync, StoredEvent

RESYNC = "resync"
LAGGED = "lagged"
CLOSED = "closed"
DELTA = "delta"
KEPT_FRAMES = 2000
KEPT_BYTES = 4_194_304

Form: TypeAlias = Callable[[StoredEvent], bytes]


def retry(least_seconds: float, most_seconds: float) -> bytes:
    """The first frame: after how many milliseconds to come back.

    Each stream draws its own: readers that lose one replica must not all come to the other at once.
    """
    seconds = random.uniform(least_seconds, most_seconds)  # noqa: S311 - jitter
    return f"retry: {int(seconds * 1000)}\n\n".encode()


def resync(found: Resync) -> bytes:
    """The position asked for is not in the log any more."""
    view = ResyncView(oldest=found.oldest, head=found.head)
    return views.message(view.model_dump_json(by_alias=True), name=RESYNC)


def lagged(position: int, head: int) -> bytes:
    """The reader is far behind; nothing is missing, and it goes on from its position."""
    view = LaggedView(position=position, head=head)
    return views.message(view.model_dump_json(by_alias=True), name=LAGGED)


def closed(error: CoxswainError) -> bytes:
    """The last frame of a stream that its reader may follow no longer."""
    return views.message(json.dumps({"code": error.code, "message": error.message}), name=CLOSED)


def delta(piece: Piece) -> bytes:
    """What a model has said since the piece before."""
    view = DeltaView(attempt=piece.attempt, call=piece.call, offset=piece.offset, text=piece.text)
    return views.message(view.model_dump_json(by_alias=True), name=DELTA)


class Frames:
    """Frames of events as they were made for the first of many streams; bounded."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[Form, int], bytes] = OrderedDict()
        self._bytes = 0

    def of(self, form: Form, event: StoredEvent) -> bytes:
        """The frame of an event in one form."""
        key = (form, event.position)
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = form(event)
            self._bytes += len(found)
            while len(self._made) > KEPT_FRAMES or self._bytes > KEPT_BYTES:
                self._bytes -= len(self._made.popitem(last=False)[1])
        return found
