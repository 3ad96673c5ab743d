import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, TypeVar

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from pydantic import Field
from typing_extensions import override

from coxswain.api.meta import Model, Name
from coxswain.errors import (
    ConflictError,
    CoxswainError,
    ForbiddenError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
    UserError,
)
from coxswain.rules.permissions import Permission, Who
from coxswain.telemetry import logs, metrics
from coxswain.web import request_ids, server
from coxswain.web.routes import Answer, Call, route
from tests.support.measured import series

C = TypeVar("C")


class Visitor:
    @override
    def __str__(self) -> str:
        return "visitor"


class OneKey:
    """Knows one visitor, by one password."""

    async def admit(self, request: web.Request, kind: type[C], permission: Permission) -> C:
        await self.check(request)
        return kind()

    async def check(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != "Bearer good":
            raise UnauthenticatedError("who are you?")


class Deep(Model):
    max_steps: Annotated[int, Field(ge=1)] = 1


class Thing(Model):
    title: str
    limits: Deep = Deep()


class ThingPath(Model):
    name: Name


class ThingQuery(Model):
    after: int = 0


USERS, ANYBODY = Permission(Who.USER), Permission(Who.ANYBODY)
TABLE = {
    "POST /v1/things/{name}": USERS,
    "GET /v1/things": USERS,
    "POST /v1/fail/{name}": USERS,
    "PUT /v1/small": USERS,
    "GET /v1/open": ANYBODY,
    "GET /v1/careless": USERS,
    "GET /v1/slow": ANYBODY,
}
RAISED: dict[str, Exception] = {
    "invalid": UserError("no good", field="spec.title"),
    "conflict": ConflictError("changed"),
    "stale": ConflictError("changed", code="precondition_failed"),
    "forbidden": ForbiddenError("not you"),
    "missing": NotFoundError("not there"),
    "away": UnavailableError("later", retry_after_seconds=7),
    "ours": CoxswainError("secret detail"),
    "bug": RuntimeError("secret detail"),
}


class Things:
    @route("POST", "/v1/things/{name}", status=201)
    async def make_thing(
        self, call: Call, caller: Visitor, path: ThingPath, body: Thing
    ) -> Answer[Thing]:
        """Make a thing.

        And say so.
        """
        return Answer(body, status=201, headers={"ETag": f'"{path.name}"'})

    @route("GET", "/v1/things")
    async def list_things(self, call: Call, caller: Visitor, query: ThingQuery) -> Thing:
        """List them."""
        return Thing(title=str(query.after))

    @route("POST", "/v1/fail/{name}")
    async def fail(self, call: Call, caller: Visitor, path: ThingPath) -> None:
        """Raise what is asked for."""
        raise RAISED[path.name]

    @route("PUT", "/v1/small", limit=10)
    async def small(self, call: Call, caller: Visitor, content: bytes) -> None:
        """Take ten bytes."""

    @route("GET", "/v1/open", open=True)
    async def everybody(self, call: Call) -> Thing:
        """Greet everybody."""
        return Thing(title=request_ids.outgoing()[request_ids.HEADER])


@asynccontextmanager
async def running(*, known: bool = True) -> AsyncIterator[aiohttp.ClientSession]:
    app = server.build("test", "Things", [Things()], OneKey(), TABLE)
    headers = {"Authorization": "Bearer good"} if known else {}
    async with (
        server.serving(app, "127.0.0.1", 0, drain_seconds=1) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as session,
    ):
        yield session


@pytest_asyncio.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with running() as session:
        yield session


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = list(root.handlers), root.level
    out = io.StringIO()
    logs.configure("json", "info", out)
    yield out
    root.handlers[:], root.level = before
    logging.captureWarnings(capture=False)


async def test_a_model_comes_in_and_an_answer_goes_out(client: aiohttp.ClientSession) -> None:
    body = {"title": "first", "limits": {"maxSteps": 3}}
    async with client.post("/v1/things/one", json=body) as answer:
        assert (answer.status, answer.headers["ETag"]) == (201, '"one"')
        assert await answer.json() == body


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b'{"title": "x", "limits": {"maxSteps": 0}}', 422, "limits.maxSteps"),
        (b'{"title": "x", "colour": "red"}', 422, "colour"),
        (b'{"title": "x", "limits": {"steps": 1}}', 422, "limits.steps"),
        (b"{}", 422, "title"),
        (b"[]", 422, None),
        (b"{", 400, None),
        (b"", 422, "title"),
        (b'{"title": "\xff"}', 400, None),
        (b'{"title": ' + b"[" * 5000, 400, None),
    ],
)
async def test_a_wrong_body_is_refused_with_its_place(
    client: aiohttp.ClientSession, body: bytes, status: int, field: str | None
) -> None:
    async with client.post(
        "/v1/things/one", data=body, headers={"Content-Type": "application/json"}
    ) as answer:
        problem = await answer.json(content_type="application/problem+json")
    assert (answer.status, problem["status"], problem.get("field")) == (status, status, field)
    assert problem["requestId"] == answer.headers["X-Request-Id"]


async def test_names_in_the_path_are_checked(client: aiohttp.ClientSession) -> None:
    async with client.post("/v1/things/Not_A_Name", json={"title": "x"}) as answer:
        assert (answer.status, (await answer.json(content_type=None))["field"]) == (
            422,
            "path.name",
        )


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=x", "query.after"),
        ("since=1", "query.since"),
        ("after=1&after=2", "query.after"),
        ("after=%00", "query.after"),
    ],
)
async def test_a_wrong_query_is_refused_with_its_place(
    client: aiohttp.ClientSession, query: str, field: str
) -> None:
    async with client.get(f"/v1/things?{query}") as answer:
        assert (answer.status, (await answer.json(content_type=None))["field"]) == (422, field)


async def test_a_query_becomes_a_type(client: aiohttp.ClientSession) -> None:
    async with client.get("/v1/things?after=12") as answer:
        assert await answer.json() == {"title": "12", "limits": {"maxSteps": 1}}


async def test_a_body_where_none_is_read_is_refused_but_an_empty_object(
    client: aiohttp.ClientSession,
) -> None:
    async with client.post("/v1/fail/conflict", data=b"{}") as answer:
        assert answer.status == 409
    async with client.post("/v1/fail/conflict", data=b'{"force": true}') as answer:
        assert (answer.status, (await answer.json(content_type=None))["field"]) == (422, "body")


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("invalid", 422, "invalid"),
        ("conflict", 409, "conflict"),
        ("stale", 412, "precondition_failed"),
        ("forbidden", 403, "forbidden"),
        ("missing", 404, "not_found"),
        ("away", 503, "unavailable"),
        ("ours", 500, "internal"),
        ("bug", 500, "internal"),
    ],
)
async def test_every_error_has_its_status_and_one_form(
    client: aiohttp.ClientSession, name: str, status: int, code: str
) -> None:
    async with client.post(f"/v1/fail/{name}") as answer:
        problem = await answer.json(content_type="application/problem+json")
    assert (answer.status, problem["code"]) == (status, code)
    assert set(problem) - {"field"} == {
        "type",
        "title",
        "status",
        "code",
        "message",
        "requestId",
    }
    assert "secret detail" not in json.dumps(problem)


async def test_an_error_that_time_mends_says_when(client: aiohttp.ClientSession) -> None:
    async with client.post("/v1/fail/away") as answer:
        assert answer.headers["Retry-After"] == "7"


@pytest.mark.parametrize("path", ["/v1/things", "/v1/nothing", "/docs", "/v1/openapi.json", "/"])
async def test_without_a_token_every_path_is_401(path: str) -> None:
    async with running(known=False) as session, session.get(path) as answer:
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


async def test_an_unknown_path_or_method_is_404_to_those_we_know(
    client: aiohttp.ClientSession,
) -> None:
    for method, path in (("GET", "/v1/nothing"), ("DELETE", "/v1/things")):
        async with client.request(method, path) as answer:
            problem = await answer.json(content_type=None)
        assert (answer.status, problem["code"]) == (404, "route_unknown")


async def test_a_body_over_the_limit_is_413_told_or_found(client: aiohttp.ClientSession) -> None:
    async def trickle() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b"12345"

    async with client.put("/v1/small", data=b"x" * 10) as answer:
        assert answer.status == 204
    async with client.put("/v1/small", data=b"x" * 11) as answer:
        assert answer.status == 413
    async with client.put("/v1/small", data=trickle()) as answer:
        assert answer.status == 413


async def test_a_good_request_id_is_kept_and_a_bad_one_replaced(
    client: aiohttp.ClientSession,
) -> None:
    async with client.get("/v1/open", headers={"X-Request-Id": "abc-1"}) as answer:
        assert answer.headers["X-Request-Id"] == "abc-1"
        assert (await answer.json())["title"] == "abc-1"
    async with client.get("/v1/open", headers={"X-Request-Id": "a b"}) as answer:
        assert len(answer.headers["X-Request-Id"]) == 32


async def test_a_request_has_one_line_with_its_id_route_status_and_caller(
    lines: io.StringIO,
) -> None:
    async with running() as client:
        headers = {"X-Request-Id": "abc-2"}
        async with client.post("/v1/things/one", json={"title": "x"}, headers=headers):
            pass
    found = [json.loads(line) for line in lines.getvalue().splitlines()]
    line = next(line for line in found if line["event"] == "request")
    assert (line["request_id"], line["route"], line["status"], line["caller"]) == (
        "abc-2",
        "/v1/things/{name}",
        201,
        "visitor",
    )


async def test_a_crash_is_logged_with_its_request_id_operation_and_caller(
    lines: io.StringIO,
) -> None:
    headers = {"X-Request-Id": "abc-3"}
    async with running() as client, client.post("/v1/fail/bug", headers=headers):
        pass
    found = [json.loads(line) for line in lines.getvalue().splitlines()]
    line = next(line for line in found if line["event"] == "request crashed")
    assert (line["request_id"], line["operation"]) == ("abc-3", "/v1/fail/{name}")
    assert line["caller"] == "visitor"
    assert "secret detail" in line["exception"]


async def test_requests_are_counted_by_route_and_class_of_status(
    client: aiohttp.ClientSession,
) -> None:
    async with client.post("/v1/fail/missing"):
        pass
    wanted = (
        'coxswain_http_request_seconds_count{method="POST",route="/v1/fail/{name}",'
        'server="test",status="4xx"}'
    )
    assert wanted in metrics.text().decode()


async def test_the_document_names_routes_models_and_refusals(
    client: aiohttp.ClientSession,
) -> None:
    async with client.get("/v1/openapi.json") as answer:
        document = await answer.json()
    make = document["paths"]["/v1/things/{name}"]["post"]
    assert make["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/Thing")
    refused = {"400", "401", "403", "404", "408", "413", "415", "422", "429", "503"}
    assert set(make["responses"]) == {"201", *refused}
    assert make["parameters"][0]["name"] == "name"
    assert set(document["components"]["schemas"]) == {"Deep", "Problem", "Thing"}
    assert document["components"]["schemas"]["Thing"]["additionalProperties"] is False
    assert document["paths"]["/v1/open"]["get"]["security"] == []


def test_a_route_without_a_caller_must_say_that_it_is_open() -> None:
    class Careless:
        @route("GET", "/v1/careless")
        async def careless(self, call: Call) -> None:
            """Forget the caller."""

    with pytest.raises(TypeError, match="name the caller"):
        server.build("test", "x", [Careless()], OneKey(), TABLE)


async def test_a_request_in_flight_ends_before_the_server_does() -> None:
    entered, go_on = asyncio.Event(), asyncio.Event()

    class Slow:
        @route("GET", "/v1/slow", open=True)
        async def slow(self, call: Call) -> Thing:
            """Wait."""
            entered.set()
            await go_on.wait()
            return Thing(title="done")

    app = server.build("test", "x", [Slow()], OneKey(), TABLE)

    async def ask(port: int) -> str:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/v1/slow") as answer,
        ):
            return str((await answer.json())["title"])

    async with server.serving(app, "127.0.0.1", 0, drain_seconds=5) as port:
        asking = asyncio.create_task(ask(port))
        await entered.wait()
        asyncio.get_running_loop().call_later(0.1, go_on.set)
    assert await asking == "done"


async def test_a_method_that_nobody_knows_has_no_label_of_its_own(
    client: aiohttp.ClientSession,
) -> None:
    for method in ("BREW", "PROPFIND"):
        (await client.request(method, "/v1/things")).release()
    methods = {labels[2] for labels in series("coxswain_http_request_seconds_count")}
    assert "other" in methods
    assert not methods & {"BREW", "PROPFIND"}
