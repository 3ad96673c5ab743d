"""What kopf makes of watches that go wrong: why pods come past it, and why a sweep looks after it (docs/museum.md)."""

import json
from collections import Counter
from contextlib import ExitStack
from typing import Any

from aiohttp import web

from tests.support.between import EXPIRED, Asked, Event
from tests.support.exhibits import PLURAL
from tests.support.museum import Museum
from tests.support.waiting import until

DATE = "Fri, 01 Jan 2100 00:00:00 GMT"
GIVES_UP_AT_ONCE: dict[str, Any] = {"networking.error_backoffs": [0.1]}
IN_PAGES = {"watching.chunk_size": 1}


def _status(code: int, **headers: str) -> web.Response:
    body = {"kind": "Status", "status": "Failure", "code": code}
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return web.json_response(body, status=code, headers=named)


def _error(code: int) -> bytes:
    said = {**EXPIRED, "code": code}
    return json.dumps({"type": "ERROR", "object": said}).encode() + b"\n"


def _watch_answer(who: str) -> web.Response | bytes | None:
    match who:
        case "410-at-once" | "400" | "403" | "404" | "503":
            return _status(int(who[:3]))
        case "429-date":
            return _status(429, Retry_After=DATE)
        case "500-in-the-stream":
            return _error(500)
        case "half-a-line":
            return b'{"type": "ADDED", "obj'
        case "410-in-the-stream":
            return _error(410)
        case "429-seconds":
            return _status(429, Retry_After="0")
        case "an-end":
            return b""
        case _:
            return None


# What ends an operator of kopf, with its settings.
FATAL: dict[str, dict[str, Any]] = {
    "410-at-once": {},
    "400": {},
    "404": {},
    "403": GIVES_UP_AT_ONCE,
    "503": GIVES_UP_AT_ONCE,
    "429-date": GIVES_UP_AT_ONCE,
    "500-in-the-stream": {},
    "half-a-line": {},
    "410-between-pages": IN_PAGES,
}
MENDED = ("410-in-the-stream", "429-seconds", "an-end")


async def test_an_operator_ends_with_a_watch_that_goes_wrong_in_one_of_nine_ways(
    room: Museum,
) -> None:
    def answer(asked: Asked) -> web.Response | bytes | None:
        if not asked.path.endswith(PLURAL):
            return None
        if asked.who == "410-between-pages" and "continue" in asked.query:
            return _status(410)
        return _watch_answer(asked.who) if asked.is_watch else None

    await room.make("a")
    await room.make("b")
    room.between.answers = answer
    with ExitStack() as stack:
        running = {
            each: stack.enter_context(room.opened("events", each, settings))
            for each, settings in FATAL.items()
        }
        codes = {each: await exhibit.ends() for each, exhibit in running.items()}
    assert codes == dict.fromkeys(FATAL, 1)


async def test_an_operator_goes_on_after_a_watch_that_ends_in_one_of_three_ways(
    room: Museum,
) -> None:
    times: Counter[str] = Counter()

    def answer(asked: Asked) -> web.Response | bytes | None:
        if not asked.is_watch or not asked.path.endswith(PLURAL):
            return None
        times[asked.who] += 1
        return _watch_answer(asked.who) if times[asked.who] == 1 else None

    room.between.answers = answer
    with ExitStack() as stack:
        running = [
            stack.enter_context(room.opened("events", each, GIVES_UP_AT_ONCE)) for each in MENDED
        ]
        await until(lambda: all(room.watches(each) for each in MENDED))
        await room.make("witness")
        for exhibit in running:
            await exhibit.tells("seen", "witness")
    assert min(times.values()) >= 2


async def test_what_goes_while_a_watch_has_expired_stays_in_an_index(room: Museum) -> None:
    await room.make("ghost")
    with room.opened("index") as exhibit:
        await exhibit.tells("seen", "ghost")
        await until(lambda: room.watches("one"))
        room.between.holds = True
        await room.delete("ghost")
        await room.make("witness")
        room.between.expire()
        assert (await exhibit.tells("seen", "witness"))[-1] == ["ghost", "witness"]
        assert await room.is_gone("ghost")


async def test_what_comes_after_a_cut_in_a_streamed_list_is_never_seen(room: Museum) -> None:
    def cuts(event: Event) -> bool:
        return bool(event["object"]["metadata"].get("name") == "a")

    # The list goes by names, so what is older may come later.
    await room.make("b")
    await room.make("a")
    room.between.cuts = cuts
    with room.opened("events", settings={"watching.initial_streaming": True}) as exhibit:
        await exhibit.tells("seen", "a")
        await until(lambda: room.watches("one"))
        await room.make("witness")
        await exhibit.tells("seen", "witness")
        assert exhibit.rows("seen", "b") == []
