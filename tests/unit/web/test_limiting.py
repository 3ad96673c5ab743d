"""One caller who asks too often is told so, and keeps nobody else from being served."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar, cast

import aiohttp
import pytest
from aiohttp import web

from coxswain.api.meta import Model
from coxswain.errors import ForbiddenError, UnauthenticatedError
from coxswain.rules.permissions import Permission, Who
from coxswain.rules.rates import Rate
from coxswain.web import server
from coxswain.web.limiting import LIMITER, Limiter
from coxswain.web.routes import CALLER, Call, route

C = TypeVar("C")
TABLE = {"GET /v1/things": Permission(Who.USER)}
RATE = Rate("user", burst=3, per_second=0.5)


class Visitor(str):
    """Known by what they say."""

    __slots__ = ()


class Open:
    """Lets everybody in who says who they are."""

    async def admit(self, request: web.Request, kind: type[C], permission: Permission) -> C:
        request[CALLER] = caller = await self.check(request)
        if caller == "mallory":
            raise ForbiddenError("not you")
        return cast("C", caller)

    async def check(self, request: web.Request) -> Visitor:
        if "Authorization" not in request.headers:
            raise UnauthenticatedError("who are you?")
        return Visitor(request.headers["Authorization"])


class Thing(Model):
    title: str


class Things:
    @route("GET", "/v1/things")
    async def read_things(self, call: Call, caller: Visitor) -> Thing:
        """Read them."""
        return Thing(title="x")


class Clock:
    """Goes on when it is told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def running(limiter: Limiter) -> AsyncIterator[aiohttp.ClientSession]:
    app = server.build("test", "Things", [Things()], Open(), TABLE)
    app[LIMITER] = limiter
    async with (
        server.serving(app, "127.0.0.1", 0, drain_seconds=1) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        yield session


async def ask(
    session: aiohttp.ClientSession, who: str = "ann", path: str = "/v1/things"
) -> aiohttp.ClientResponse:
    headers = {"Authorization": who} if who else {}
    async with session.get(path, headers=headers) as answer:
        await answer.read()
        return answer


def limiter(clock: Clock, **fields: int) -> Limiter:
    return Limiter(lambda caller: (str(caller), RATE), clock=clock, **fields)


async def test_every_answer_says_how_its_caller_stands() -> None:
    async with running(limiter(Clock())) as session:
        answer = await ask(session)
    assert answer.headers["RateLimit-Policy"] == '"user";q=3;w=6'
    assert answer.headers["RateLimit"] == '"user";r=2;t=2'


async def test_who_asks_too_often_is_answered_429_and_when_to_come_again() -> None:
    clock = Clock()
    async with running(limiter(clock)) as session:
        for _ in range(3):
            assert (await ask(session)).status == 200
        refused = await ask(session)
        problem = await refused.json(content_type="application/problem+json")
        assert (refused.status, problem["code"], refused.headers["Retry-After"]) == (
            429,
            "rate_limited",
            "2",
        )
        assert refused.headers["RateLimit"] == '"user";r=0;t=6'
        clock.now += 2
        assert (await ask(session)).status == 200


async def test_another_caller_is_served_meanwhile() -> None:
    async with running(limiter(Clock())) as session:
        for _ in range(4):
            await ask(session)
        assert (await ask(session, "bob")).status == 200


@pytest.mark.parametrize(
    ("who", "path", "status"),
    [
        ("mallory", "/v1/things", 403),
        ("ann", "/v1/none", 404),
        ("ann", "/v1/openapi.json", 200),
        ("ann", "/docs", 200),
    ],
)
async def test_whatever_the_answer_is_its_caller_is_counted(
    who: str, path: str, status: int
) -> None:
    async with running(limiter(Clock())) as session:
        found = [(await ask(session, who, path)).status for _ in range(4)]
    assert found == [status, status, status, 429]


async def test_a_stranger_is_no_caller_and_is_told_nothing() -> None:
    async with running(limiter(Clock())) as session:
        answer = await ask(session, "")
    assert (answer.status, "RateLimit" in answer.headers) == (401, False)


@pytest.mark.parametrize("most", [2, 3])
async def test_so_many_callers_are_remembered_and_the_oldest_is_forgotten(most: int) -> None:
    counts = limiter(Clock(), most_callers=most)
    for who in ("ann", "bob", "eve"):
        counts.take(who)
    assert counts.take("ann").left == (2 if most == 2 else 1)
