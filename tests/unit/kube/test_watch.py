"""A stream that lists, follows, and begins again where it must."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest

from coxswain.errors import (
    CoxswainError,
    FencedError,
    ForbiddenError,
    NotFoundError,
    TransientError,
    UnavailableError,
)
from coxswain.kube.watch import Change, Hears, Stream

Raw = dict[str, Any]


def _raw(name: str, version: int) -> Raw:
    return {"metadata": {"name": name, "uid": name, "resourceVersion": str(version)}}


def _event(kind: str, raw: Raw) -> bytes:
    return orjson.dumps({"type": kind, "object": raw})


@dataclass
class Api:
    """An API server by script: lists in turn, then answers to watches in turn."""

    lists: list[tuple[int, list[Raw]] | Exception]
    watches: list[list[bytes] | Exception]
    asked_from: list[str] = field(default_factory=list)
    selectors: list[str | None] = field(default_factory=list)
    silent: asyncio.Event = field(default_factory=asyncio.Event)

    async def pages(self, _path: str, *, selector: str | None = None) -> AsyncIterator[Raw]:
        self.selectors.append(selector)
        answer = self.lists.pop(0)
        if isinstance(answer, Exception):
            raise answer
        version, items = answer
        for n, item in enumerate(items or [None]):
            # A real server gives every page the version of the first.
            page_version = version if n == 0 else version + 1000
            metadata = {"resourceVersion": str(page_version)}
            yield {"metadata": metadata, "items": [item] if item is not None else []}

    async def lines(
        self, _path: str, params: dict[str, str], *, silence_seconds: float
    ) -> AsyncGenerator[bytes]:
        self.asked_from.append(params["resourceVersion"])
        assert params["allowWatchBookmarks"] == "true"
        assert silence_seconds > 60
        if not self.watches:
            self.silent.set()
            await asyncio.Event().wait()
        answer = self.watches.pop(0)
        if isinstance(answer, Exception):
            raise answer
        for line in answer:
            yield line


class Ears:
    """What was heard."""

    def __init__(self) -> None:
        self.lists: list[tuple[list[str], int]] = []
        self.changes: list[str] = []
        self.refusals: list[str] = []
        self.hears = Hears(self._listed, self._changed)

    def minds_refusals(self) -> "Ears":
        self.hears = replace(self.hears, refused=self._refused)
        return self

    def _refused(self, error: CoxswainError) -> None:
        self.refusals.append(error.code)

    def _listed(self, items: Sequence[Raw], version: int) -> None:
        self.lists.append(([each["metadata"]["name"] for each in items], version))

    def _changed(self, change: Change) -> None:
        self.changes.append(f"{change.type} {change.raw['metadata']['name']}")


async def _follow(api: Api, ears: Ears | None = None) -> Ears:
    """Follow until the script is at its end."""
    ears = ears or Ears()
    stream = Stream(api, "/api/v1/pods", "a=b", ears.hears)  # type: ignore[arg-type]  # two methods of it
    running = asyncio.create_task(stream.run())
    ended = asyncio.create_task(api.silent.wait())
    async with asyncio.timeout(10):
        await asyncio.wait({running, ended}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        running.result()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return ears


async def test_a_list_comes_first_whole_and_with_its_version() -> None:
    api = Api([(7, [_raw("a", 1), _raw("b", 2)])], [])
    ears = await _follow(api)
    assert ears.lists == [(["a", "b"], 7)]
    assert api.asked_from == ["7"]
    assert api.selectors == ["a=b"]


async def test_changes_are_heard_in_order_and_bookmarks_are_not() -> None:
    lines = [
        _event("ADDED", _raw("a", 8)),
        _event("BOOKMARK", _raw("", 20)),
        _event("DELETED", _raw("a", 21)),
    ]
    api = Api([(7, [])], [lines])
    ears = await _follow(api)
    assert ears.changes == ["ADDED a", "DELETED a"]


async def test_after_an_end_it_goes_on_from_the_last_version_without_a_list() -> None:
    api = Api([(7, [])], [[_event("ADDED", _raw("a", 8))], [_event("BOOKMARK", _raw("", 30))]])
    ears = await _follow(api)
    assert api.asked_from == ["7", "8", "30"]
    assert len(ears.lists) == 1


@pytest.mark.parametrize(
    "gone",
    [
        TransientError("too old", code="gone"),
        [orjson.dumps({"type": "ERROR", "object": {"code": 410, "message": "too old"}})],
    ],
    ids=["the answer", "an event"],
)
async def test_a_version_that_is_too_old_means_a_new_list(gone: list[bytes] | Exception) -> None:
    api = Api([(7, [_raw("a", 1)]), (90, [])], [gone])
    ears = await _follow(api)
    assert ears.lists == [(["a"], 7), ([], 90)]
    assert api.asked_from == ["7", "90"]


@pytest.mark.parametrize(
    "broken",
    [
        UnavailableError("reset"),
        [orjson.dumps({"type": "ERROR", "object": {"code": 500, "message": "no"}})],
        [_event("ADDED", _raw("a", 8)), b'{"type": "ADDED", "obj'],
    ],
    ids=["cut", "an error", "half a line"],
)
async def test_a_stream_that_breaks_is_begun_again(broken: list[bytes] | Exception) -> None:
    api = Api([(7, [])], [broken])
    await _follow(api)
    assert len(api.asked_from) == 2


async def test_one_that_may_no_longer_act_ends() -> None:
    with pytest.raises(FencedError):
        await _follow(Api([(7, [])], [FencedError("over")]))


@pytest.mark.parametrize(
    "refusal", [ForbiddenError("no"), NotFoundError("none")], ids=["403", "404"]
)
async def test_a_refusal_is_told_and_the_next_try_begins_with_a_list(refusal: Exception) -> None:
    api = Api([(7, [_raw("a", 1)]), refusal, (90, [])], [refusal])
    ears = await _follow(api, Ears().minds_refusals())
    assert ears.refusals == [refusal.code, refusal.code]  # type: ignore[attr-defined]
    assert ears.lists == [(["a"], 7), ([], 90)]


async def test_where_nobody_minds_a_missing_collection_ends_the_stream() -> None:
    with pytest.raises(NotFoundError):
        await _follow(Api([NotFoundError("none")], []))


async def test_one_in_doubt_is_broken_off_and_listed_anew() -> None:
    api, ears = Api([(7, []), (9, [])], []), Ears()
    stream = Stream(api, "/api/v1/pods", "a=b", ears.hears)  # type: ignore[arg-type]  # two methods of it
    stream.list_anew()
    running = asyncio.create_task(stream.run())
    async with asyncio.timeout(10):
        await api.silent.wait()
        api.silent.clear()
        stream.list_anew()
        stream.list_anew()
        await api.silent.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert api.asked_from == ["7", "9"]
