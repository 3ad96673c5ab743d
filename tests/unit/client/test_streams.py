"""Streams over cuts and ends, without a network."""

import httpx
import pytest

from coxswain.client import Client, RetryPolicy, errors
from coxswain.client.models import EventView, ResyncView
from tests.support.calls import URL, Script, refusal, script

RECORD = (
    '"id":"01890000-0000-7000-8000-000000000000","at":"2026-11-29T10:00:00Z",'
    '"recordedAt":"2026-11-29T10:00:00Z","type":"user.note","actor":"user:local"'
)
POLICY = RetryPolicy(tries=4, first_seconds=1, most_seconds=1, total_seconds=100)


def frame(position: int) -> str:
    return f'id: {position}\ndata: {{"position":{position},{RECORD}}}\n\n'


def live(*frames: str) -> httpx.Response:
    return httpx.Response(200, content="".join(frames).encode())


CLOSED = 'event: closed\ndata: {"code":"rights_changed","message":"ask again"}\n\n'
RESYNC = 'event: resync\ndata: {"oldest":7,"head":9}\n\n'
NOTHING_MORE = httpx.Response(204)


def followed(said: Script, after: int | None = None) -> list[EventView | ResyncView]:
    return list(said.client(POLICY).jobs.follow("team", "first", after=after))


def positions(found: list[EventView | ResyncView]) -> list[int]:
    return [each.position for each in found if isinstance(each, EventView)]


def asked(said: Script) -> list[str | None]:
    return [each.headers.get("Last-Event-ID") for each in said.sent]


def test_a_stream_goes_on_after_its_last_whole_frame_and_gives_nothing_twice() -> None:
    said = script(live(frame(1), frame(2), frame(3)[:-1]), live(frame(2), frame(3)), NOTHING_MORE)
    assert positions(followed(said)) == [1, 2, 3]
    assert asked(said) == [None, "2", "3"]


def test_it_begins_where_it_is_told_to() -> None:
    said = script(live(frame(5)), NOTHING_MORE)
    followed(said, after=4)
    assert asked(said) == ["4", "5"]


def test_the_mark_of_a_gap_is_given_to_the_reader() -> None:
    said = script(live(RESYNC, frame(8)), NOTHING_MORE)
    assert followed(said)[0] == ResyncView(oldest=7, head=9)


def test_frames_that_a_newer_platform_adds_are_passed_over() -> None:
    said = script(live('event: delta\ndata: {"text":"x"}\n\n', frame(1)), NOTHING_MORE)
    assert positions(followed(said)) == [1]


def test_tries_begin_anew_with_whatever_comes() -> None:
    failing = [refusal(503), refusal(503)]
    said = script(*failing, live(": ping\n\n"), *failing, live(frame(1)), *failing, NOTHING_MORE)
    assert positions(followed(said)) == [1]


def test_tries_without_anything_between_end() -> None:
    said = script(live(frame(1)), refusal(503))
    with pytest.raises(errors.UnavailableError):
        followed(said)
    # One that ended, and three that were refused.
    assert len(said.sent) == 4


def test_a_reader_whose_rights_end_asks_anew_and_is_told() -> None:
    said = script(live(frame(1), CLOSED), refusal(401, "unauthenticated"))
    with pytest.raises(errors.UnauthenticatedError):
        followed(said)


def test_a_stream_that_is_always_closed_is_not_asked_for_for_ever() -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        # As it comes: the greeting is a write of its own.
        return httpx.Response(200, content=iter([b"retry: 1\n\n", CLOSED.encode()]))

    said = script(NOTHING_MORE)
    way = httpx.MockTransport(answer)
    client = Client(URL, policy=POLICY, transport=way, pacing=said.pacing, sleep=said.sleep)
    with client, pytest.raises(errors.LostAnswerError):
        list(client.jobs.follow("team", "first"))


def test_the_wait_that_a_stream_asks_for_is_kept() -> None:
    said = script(live("retry: 4000\n\n", frame(1)), NOTHING_MORE)
    followed(said)
    assert said.waits == [4.0]


def test_a_frame_that_is_no_event_is_said_to_be_none() -> None:
    with pytest.raises(errors.UnreadableError, match="EventView"):
        followed(script(live('id: 1\ndata: {"position":1}\n\n')))


def test_an_export_without_its_end_was_cut() -> None:
    said = script(httpx.Response(200, content=b'{"export":{}}\n{"row":{}}\n'))
    lines = said.client(POLICY).audit.export()
    assert next(lines) == '{"export":{}}'
    with pytest.raises(errors.LostAnswerError, match="cut"):
        list(lines)
    assert len(said.sent) == 1
