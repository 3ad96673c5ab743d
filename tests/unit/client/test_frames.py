"""Streams, read from bytes."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from coxswain.client import frames
from coxswain.client.errors import UnreadableError
from coxswain.client.frames import Frame, Parser

WIRE = (
    b": ping\r\n\r\n"
    b'id: 1\nevent: status\ndata: {"type":"job.queued"}\n\n'
    b"retry: 1500\n\n"
    b'id: 2\r\ndata: {"text":"caf\xc3\xa9"}\r\n\r\n'
    b'event: resync\ndata: {"oldest":\ndata: 5}\n\n'
)
FRAMES = [
    Frame("status", 1, {"type": "job.queued"}),
    Frame("", 2, {"text": "café"}),
    Frame("resync", None, {"oldest": 5}),
]


@given(some.lists(some.integers(0, len(WIRE)), max_size=12))
def test_frames_are_the_same_wherever_the_bytes_are_cut(cuts: list[int]) -> None:
    parser = Parser()
    places = [0, *sorted(cuts), len(WIRE)]
    found = [frame for begin, end in pairwise(places) for frame in parser.feed(WIRE[begin:end])]
    assert found == FRAMES
    assert parser.retry_seconds == 1.5


@given(some.integers(0, len(WIRE)))
def test_half_a_frame_is_none(size: int) -> None:
    found = Parser().feed(WIRE[:size])
    assert found == FRAMES[: len(found)]


def test_what_is_no_json_is_said_to_be_none() -> None:
    with pytest.raises(UnreadableError, match="no JSON"):
        Parser().feed(b"data: {\n\n")


def test_a_frame_has_a_bound() -> None:
    with pytest.raises(UnreadableError, match="larger"):
        Parser().feed(b"x" * (frames.FRAME_BYTES + 1))
