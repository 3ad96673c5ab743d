"""What a model says, cut into pieces that a notification holds."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from coxswain.gateway.models import wire
from coxswain.gateway.models.deltas import MOST_WATCHED, WATCHED_SECONDS, Deltas, Voice
from coxswain.store import deltas
from coxswain.store.deltas import PAYLOAD_BYTES, Piece
from coxswain.store.pool import Store
from tests.support.platform_door import document
from tests.support.ticking import Ticking


class Ear:
    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.ended: list[str] = []

    def offer(self, piece: Piece) -> None:
        self.pieces.append(piece)

    def hurry(self, call: str) -> None:
        self.ended.append(call)


TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=3000), max_size=6)


@given(TEXTS)
def test_every_payload_fits_and_together_they_are_what_was_said(texts: list[str]) -> None:
    ear = Ear()
    voice = Voice(ear, document())
    for text in texts:
        voice.say(text)
    payloads = list(deltas.packed(ear.pieces))
    assert all(len(payload.encode()) <= PAYLOAD_BYTES for payload in payloads)
    found = [piece for payload in payloads for piece in deltas.unpacked(payload)]
    assert found == ear.pieces
    assert "".join(piece.text for piece in found) == "".join(texts)
    assert [piece.offset for piece in found[1:]] == [piece.end for piece in found[:-1]]


def test_text_that_takes_the_most_bytes_fits() -> None:
    ear = Ear()
    Voice(ear, document()).say("\x00" * 5000 + "\U0001f600" * 5000)
    payloads = list(deltas.packed(ear.pieces))
    assert max(len(payload.encode()) for payload in payloads) <= PAYLOAD_BYTES
    assert sum(len(deltas.unpacked(payload)) for payload in payloads) == len(ear.pieces)


def test_each_call_has_a_name_of_its_own_and_its_end_is_told() -> None:
    ear = Ear()
    one, two = Voice(ear, document()), Voice(ear, document())
    one.say("a")
    two.say("b")
    one.end()
    assert ear.pieces[0].call != ear.pieces[1].call
    assert ear.ended == [ear.pieces[0].call]


def test_what_a_chunk_says_is_the_text_of_its_first_choice() -> None:
    def chunk(**delta: object) -> wire.Document:
        return {"choices": [{"index": 1, "delta": {"content": "no"}}, {"index": 0, "delta": delta}]}

    assert wire.said(chunk(content="yes")) == "yes"
    assert wire.said(chunk(content=None)) == ""
    assert wire.said(chunk(tool_calls=[{"index": 0}])) == ""
    assert wire.said({"choices": [{"index": 0}]}) == ""
    assert wire.said({"choices": [], "usage": {}}) == ""
    assert wire.said(chunk(content="\ud83d!")) == "?!"


class Said:
    """What the listener of a gateway hears."""

    def __init__(self) -> None:
        self.queue = asyncio.Queue[str]()

    @contextmanager
    def hear(self, _channel: str) -> Iterator["asyncio.Queue[str]"]:
        yield self.queue

    async def are_watched(self, *jobs: str) -> None:
        self.queue.put_nowait(",".join(jobs))
        while not self.queue.empty():  # noqa: ASYNC110 - it is heard in the loop's next rounds
            await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_who_is_watched_stays_so_where_there_is_no_room_for_others() -> None:
    said, clock, nowhere = Said(), Ticking(), cast("Store", None)
    told = Deltas(nowhere, said, clock)
    hearing = asyncio.create_task(told.run())
    first, second, *others = (str(UUID(int=number)) for number in range(MOST_WATCHED))
    late = str(UUID(int=MOST_WATCHED))
    await said.are_watched(first, second, *others)
    assert told.is_watched(first)
    clock.now += WATCHED_SECONDS - 1
    await said.are_watched(late, first)
    assert not told.is_watched(late)
    clock.now += 2
    # Who was told of again is renewed; whose time is over leaves room.
    assert [told.is_watched(each) for each in (first, second)] == [True, False]
    await said.are_watched(late)
    assert [told.is_watched(each) for each in (first, late)] == [True, True]
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)


def test_a_notification_that_makes_no_sense_is_passed_over() -> None:
    for payload in ("", "x", "{}", "[1]", '[{"job_uid": "a"}]', "[" * 5000):
        assert deltas.unpacked(payload) == ()
    for payload in ("", "x", "a,b"):
        assert deltas.watched(payload) == ()
