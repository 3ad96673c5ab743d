"""What a stream holds of what models say: bounded, without positions."""

import asyncio

from coxswain.sidecar import frames
from coxswain.sidecar.deltas import UNREAD_BYTES, Heard
from coxswain.store.deltas import Piece

PIECE = Piece("0198f0a0-0000-4000-8000-000000000001", 2, "call", 7, 'a "word"\n')


def test_a_delta_has_a_name_and_no_id() -> None:
    lines = frames.delta(PIECE).decode().split("\n")
    assert lines[0] == "event: delta"
    assert lines[1] == r'data: {"attempt":2,"call":"call","offset":7,"text":"a \"word\"\n"}'
    assert lines[2:] == ["", ""]


async def test_a_stream_that_is_not_written_to_holds_so_much_and_no_more() -> None:
    wake = asyncio.Event()
    heard = Heard(wake)
    frame = b"x" * 1000
    for _ in range(1000):
        heard.add(frame)
    assert wake.is_set()
    assert len(heard.take()) == UNREAD_BYTES // len(frame)
    assert heard.take() == []
    heard.add(frame)
    assert heard.take() == [frame]
