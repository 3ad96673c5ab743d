"""Frames that are made once for many streams."""

from datetime import UTC, datetime

from coxswain.sidecar.frames import KEPT_BYTES, Frames
from coxswain.store.events import StoredEvent
from tests.support.rows import event

NOW = datetime(2026, 11, 29, tzinfo=UTC)


class Form:
    """Counts how often it was asked for."""

    def __init__(self, size: int = 10) -> None:
        self.made: list[int] = []
        self._size = size

    def frame(self, stored: StoredEvent) -> bytes:
        self.made.append(stored.position)
        return b"x" * self._size


def stored(position: int) -> StoredEvent:
    return StoredEvent(position, NOW, NOW, event())


def test_a_frame_is_made_once_for_each_form() -> None:
    frames, one, two = Frames(), Form(), Form()
    for _ in range(3):
        frames.of(one.frame, stored(1))
        frames.of(two.frame, stored(1))
    assert (one.made, two.made) == ([1], [1])


def test_what_is_kept_is_bounded_and_the_oldest_goes_first() -> None:
    frames, form = Frames(), Form(KEPT_BYTES // 4)
    for position in range(1, 7):
        frames.of(form.frame, stored(position))
    frames.of(form.frame, stored(6))
    assert form.made == [1, 2, 3, 4, 5, 6]
    frames.of(form.frame, stored(1))
    assert form.made[-1] == 1
