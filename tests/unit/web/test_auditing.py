"""Where acts and denials come by: at every route, whatever its author thought of."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs
from typing_extensions import override
from yarl import URL

from coxswain.api.meta import Model, Name
from coxswain.errors import ForbiddenError, UnauthenticatedError, UserError
from coxswain.rules.permissions import Permission, Who
from coxswain.web import server
from coxswain.web.auditing import CALLER, NO_ROUTE, RECORDER, Act, Kept, Refusal
from coxswain.web.routes import Call, route

C = TypeVar("C")
T = TypeVar("T")


class Visitor:
    @override
    def __str__(self) -> str:
        return "user:visitor"


class Gate:
    async def admit(self, request: web.Request, kind: type[C], permission: Permission) -> C:
        await self.check(request)
        request[CALLER] = Visitor()
        if kind is not Visitor:
            raise ForbiddenError("not you", code="wrong_caller")
        return kind()

    async def check(self, request: web.Request) -> None:
        if "Authorization" not in request.headers:
            raise UnauthenticatedError("who are you?", code="token_missing")


class Recorded:
    """Remembers in order what came by."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.acts: list[Act] = []
        self.refusals: list[Refusal] = []

    async def keep(self, act: Act, work: Callable[[], Awaitable[T]]) -> T:
        self.acts.append(act)
        self.said.append(("begun", act.action))
        answer = await work()
        self.said.append(("done", act.action))
        return answer

    async def denied(self, refusal: Refusal) -> None:
        self.refusals.append(refusal)
        self.said.append((f"{refusal.action} {refusal.caller}", refusal.code))


SECRET = "GET /v1/workspaces/{workspace}/secrets/{name}"
SECRET_URL = "/v1/workspaces/team/secrets/a"
PERMISSIONS = dict.fromkeys(
    ("POST /v1/things/{name}", "GET /v1/things", "POST /v1/beats", SECRET),
    Permission(Who.USER),
)


class Thing(Model):
    title: str


class ThingPath(Model):
    name: Name


class SecretPath(ThingPath):
    workspace: Name


class Somebody:
    """Nobody is one."""


class Things:
    @route("POST", "/v1/things/{name}")
    async def make_thing(self, call: Call, caller: Visitor, path: ThingPath, body: Thing) -> Thing:
        """Make."""
        if body.title == "forbidden":
            raise ForbiddenError("no")
        if body.title == "bad":
            raise UserError("no")
        return body

    @route("GET", "/v1/things")
    async def list_things(self, call: Call, caller: Visitor) -> None:
        """List."""

    @route("POST", "/v1/beats", kept=Kept.ELSEWHERE)
    async def beat(self, call: Call, caller: Visitor) -> None:
        """Live."""

    @route(*SECRET.split())
    async def read_secret(self, call: Call, caller: Somebody, path: SecretPath) -> None:
        """Read."""


@asynccontextmanager
async def running(*, known: bool = True) -> AsyncIterator[tuple[aiohttp.ClientSession, Recorded]]:
    recorder = Recorded()
    app = server.build("test", "Things", [Things()], Gate(), PERMISSIONS)
    app[RECORDER] = recorder
    headers = {"Authorization": "Bearer good"} if known else {}
    async with (
        server.serving(app, "127.0.0.1", 0, drain_seconds=1) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as session,
    ):
        yield session, recorder


async def test_an_act_comes_by_with_all_that_it_was_given() -> None:
    async with (
        running() as (session, recorder),
        session.post("/v1/things/a", json={"title": "x"}) as answer,
    ):
        assert answer.status == 200
    assert recorder.said == [("begun", "make_thing"), ("done", "make_thing")]
    (act,) = recorder.acts
    assert (act.path, act.kept, str(act.caller)) == (
        "/v1/things/{name}",
        Kept.AROUND,
        "user:visitor",
    )
    assert act.given["body"] == Thing(title="x")
    assert act.given["path"] == ThingPath(name="a")


async def test_what_reads_or_says_that_it_is_recorded_elsewhere_does_not_come_by() -> None:
    async with running() as (session, recorder):
        async with session.get("/v1/things") as answer:
            assert answer.status == 204
        async with session.post("/v1/beats") as answer:
            assert answer.status == 204
    assert recorder.said == []


async def test_a_request_that_cannot_be_understood_is_no_act() -> None:
    async with (
        running() as (session, recorder),
        session.post("/v1/things/a", json={"other": "x"}) as answer,
    ):
        assert answer.status == 422
    assert recorder.said == []


@pytest.mark.parametrize("title", ["forbidden", "bad"])
async def test_an_act_that_is_refused_tells_of_it_itself(title: str) -> None:
    async with (
        running() as (session, recorder),
        session.post("/v1/things/a", json={"title": title}) as answer,
    ):
        assert answer.status in (403, 422)
    assert recorder.said == [("begun", "make_thing")]


async def test_a_denial_has_the_name_of_who_was_denied() -> None:
    async with running() as (session, recorder), session.get(SECRET_URL) as answer:
        assert answer.status == 403
    assert recorder.said == [("read_secret user:visitor", "wrong_caller")]
    (refusal,) = recorder.refusals
    assert (refusal.path, refusal.place) == (SECRET[4:], {"workspace": "team", "name": "a"})


@pytest.mark.parametrize(
    "workspace", ["Team", "a.b", "a" * 64, "a%00", "a%0Ab", "a%2Fb", "%F0%9F%98%80"]
)
@pytest.mark.parametrize("name", ["a%20b", "a" * 254, "%00"])
async def test_nothing_of_a_path_that_is_no_name_goes_along_with_a_denial(
    workspace: str, name: str
) -> None:
    path = URL(f"/v1/workspaces/{workspace}/secrets/{name}", encoded=True)
    async with running() as (session, recorder), session.get(path) as answer:
        assert answer.status == 403
    assert [each.place for each in recorder.refusals] == [{}]


@pytest.mark.parametrize("path", ["/v1/things", "/v1/nothing", "/docs", "/v1/openapi.json"])
async def test_a_stranger_is_denied_wherever_it_knocks(path: str) -> None:
    async with running(known=False) as (session, recorder), session.get(path) as answer:
        assert answer.status == 401
    ((action, code),) = recorder.said
    assert (action.endswith(" None"), code) == (True, "token_missing")
    (refusal,) = recorder.refusals
    assert refusal.path == (NO_ROUTE if path == "/v1/nothing" else path)


async def test_a_denial_has_a_line_that_a_reader_of_security_finds() -> None:
    with capture_logs() as lines:
        async with running() as (client, _), client.get(SECRET_URL), client.get("/v1/things"):
            pass
    marked = [line for line in lines if line.get("security")]
    assert [(line["event"], line["route"], line["code"]) for line in marked] == [
        ("request denied", SECRET[4:], "wrong_caller")
    ]
