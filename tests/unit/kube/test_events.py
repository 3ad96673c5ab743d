"""Kubernetes Events: counted up, and bounded for each object as client-go bounds them."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from coxswain.kube.client import Client
from coxswain.kube.credentials import Credentials
from coxswain.kube.event_budget import BURST, OBJECTS, REFILL_SECONDS, EventBudget
from coxswain.kube.events import EventPoster, Subject
from tests.support import waiting

FIRST = Subject("Job", "team", "first", "0198f0a0-0000-7000-8000-000000000001")
SECOND = Subject("Job", "team", "second", "0198f0a0-0000-7000-8000-000000000002")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Events:
    """The part of an API server that keeps Events."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}
        self.writes = 0

    def app(self) -> web.Application:
        app = web.Application()
        path = "/api/v1/namespaces/team/events"
        app.router.add_post(path, self._create)
        app.router.add_get(path + "/{name}", self._get)
        app.router.add_patch(path + "/{name}", self._patch)
        return app

    async def _create(self, request: web.Request) -> web.Response:
        self.writes += 1
        body = await request.json()
        name = body["metadata"]["name"]
        if name in self.kept:
            return web.json_response({"reason": "AlreadyExists"}, status=409)
        self.kept[name] = body
        return web.json_response(body, status=201)

    async def _get(self, request: web.Request) -> web.Response:
        return web.json_response(self.kept[request.match_info["name"]])

    async def _patch(self, request: web.Request) -> web.Response:
        self.writes += 1
        self.kept[request.match_info["name"]] |= await request.json()
        return web.json_response({})


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_an_object_has_a_burst_and_then_one_every_five_minutes(clock: Clock) -> None:
    budget = EventBudget(clock)
    assert [budget.take("a", f"n{each}") for each in range(BURST)] == [1] * BURST
    assert (BURST, REFILL_SECONDS) == (25, 300.0)
    assert budget.take("a", "late") == 0
    clock.now += REFILL_SECONDS - 1
    assert budget.take("a", "late") == 0
    clock.now += 1
    assert budget.take("a", "late") == 3
    assert budget.take("a", "late") == 0


def test_a_long_quiet_gives_one_burst_and_no_more(clock: Clock) -> None:
    budget = EventBudget(clock)
    budget.take("a", "n")
    clock.now += 1000 * REFILL_SECONDS
    assert sum(budget.take("a", f"n{each}") > 0 for each in range(2 * BURST)) == BURST


def test_one_object_does_not_use_what_another_has(clock: Clock) -> None:
    budget = EventBudget(clock)
    for each in range(2 * BURST):
        budget.take("a", f"n{each}")
    assert budget.take("b", "n") == 1


def test_who_was_quiet_longest_is_forgotten_first(clock: Clock) -> None:
    budget = EventBudget(clock)
    for name in ("a", "b"):
        for each in range(BURST):
            budget.take(name, f"n{each}")
    for each in range(OBJECTS - 2):
        budget.take(f"other-{each}", "n")
    assert budget.take("a", "n") == 0
    budget.take("one more", "n")
    assert (budget.take("a", "n"), budget.take("b", "n")) == (0, 1)


async def _posted(poster: EventPoster) -> None:
    task = asyncio.create_task(poster.run())
    await waiting.until(lambda: not poster.waiting, 5)
    task.cancel()
    await asyncio.wait({task})


async def test_what_happens_again_while_it_waits_is_posted_once_with_its_count(
    clock: Clock,
) -> None:
    kept = Events()
    async with TestServer(kept.app()) as server:
        client = Client(Credentials(str(server.make_url("")).rstrip("/"), tls=None))
        poster = EventPoster(client, "one", EventBudget(clock))
        for message in ("the first", "the last"):
            for _ in range(5):
                poster.post(FIRST, "Warning", "Refused", message)
        await _posted(poster)
        await client.close()
    (found,) = kept.kept.values()
    assert (found["count"], found["message"], kept.writes) == (10, "the last", 1)


async def test_a_noisy_object_is_bounded_and_a_quiet_one_is_heard(clock: Clock) -> None:
    kept = Events()
    async with TestServer(kept.app()) as server:
        client = Client(Credentials(str(server.make_url("")).rstrip("/"), tls=None))
        poster = EventPoster(client, "one", EventBudget(clock))
        for _ in range(BURST + 10):
            poster.post(FIRST, "Warning", "Refused", "no")
            await _posted(poster)
        poster.post(SECOND, "Warning", "Refused", "no")
        await _posted(poster)
        noisy = next(
            each for each in kept.kept.values() if each["involvedObject"]["name"] == "first"
        )
        assert noisy["count"] == BURST
        assert len(kept.kept) == 2
        clock.now += REFILL_SECONDS
        poster.post(FIRST, "Warning", "Refused", "still no")
        await _posted(poster)
        await client.close()
    assert (noisy["count"], noisy["message"]) == (BURST + 11, "still no")
