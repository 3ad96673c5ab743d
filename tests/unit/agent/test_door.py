"""The door on localhost: the token, streams both ways, and honest ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from coxswain_agent.door import Door
from tests.support.waiting import until

NOWHERE = "http://127.0.0.1:9"
Call = aiohttp.ClientResponse


class Behind:
    """A server behind the door; remembers what came."""

    def __init__(self) -> None:
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.paths: list[str] = []
        self.gone = 0
        self.go_on = asyncio.Event()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/v1/stream", self._stream)
        app.router.add_route("*", "/v1/run/stream", self._stream)
        app.router.add_route("*", "/v1/half", self._half)
        app.router.add_route("*", "/v1/silent", self._silent)
        app.router.add_route("*", "/{tail:.*}", self._echo)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        await runner.cleanup()

    async def _echo(self, request: web.Request) -> web.Response:
        self.headers.append(dict(request.headers))
        self.paths.append(request.raw_path)
        self.bodies.append(await request.read())
        return web.Response(status=418, body=b"answer", headers={"X-Own": "kept"})

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        await self.go_on.wait()
        await response.write(b"second")
        return response

    async def _half(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"first")
        assert request.transport is not None
        request.transport.close()
        return response

    async def _silent(self, _: web.Request) -> web.Response:
        try:
            await asyncio.sleep(3600)
        finally:
            self.gone += 1
        return web.Response()


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("one\n")
    return file


async def test_each_request_gets_the_token_of_this_moment(token: Path) -> None:
    behind = Behind()
    mine = {"authorization": "Bearer mine", "X-Api-Key": "mine"}
    async with (
        behind.serving() as url,
        Door(url, url, token) as door,
        aiohttp.ClientSession(headers=mine) as http,
    ):
        await http.post(f"{door.url}/v1/run/claim", data=b"x")
        await asyncio.to_thread(token.write_text, "two")
        await http.post(f"{door.url}/v1/chat/completions?a=%20b", data=b"y")
    assert [each["Authorization"] for each in behind.headers] == ["Bearer one", "Bearer two"]
    assert "mine" not in str(behind.headers)
    assert behind.paths == ["/v1/run/claim", "/v1/chat/completions?a=%20b"]
    assert behind.bodies == [b"x", b"y"]


async def test_paths_of_the_run_go_to_the_platform_and_others_to_the_models(token: Path) -> None:
    platform, models = Behind(), Behind()
    async with (
        platform.serving() as one,
        models.serving() as two,
        Door(one, two, token) as door,
        aiohttp.ClientSession() as http,
    ):
        for path in ("/v1/run/events", "/v1/models"):
            async with http.get(door.url + path) as response:
                assert response.status == 418
                assert response.headers["X-Own"] == "kept"
                assert await response.read() == b"answer"
    assert platform.paths == ["/v1/run/events"]
    assert models.paths == ["/v1/models"]


async def test_only_localhost_is_listened_on(token: Path) -> None:
    async with Door(NOWHERE, NOWHERE, token) as door:
        assert door.url.startswith("http://127.0.0.1:")


async def test_an_answer_streams_through_as_it_comes(token: Path) -> None:
    behind = Behind()
    async with (
        behind.serving() as url,
        Door(url, url, token) as door,
        aiohttp.ClientSession() as http,
        http.get(f"{door.url}/v1/stream") as response,
    ):
        assert await asyncio.wait_for(response.content.readany(), 5) == b"first"
        behind.go_on.set()
        assert await asyncio.wait_for(response.content.read(), 5) == b"second"


async def test_a_large_body_streams_through(token: Path) -> None:
    behind = Behind()
    body = b"x" * 20_000_000

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 1_000_000):
            yield body[start : start + 1_000_000]

    async with (
        behind.serving() as url,
        Door(url, url, token) as door,
        aiohttp.ClientSession() as http,
    ):
        await http.put(f"{door.url}/v1/run/artifacts/a", data=pieces())
    assert behind.bodies == [body]


async def test_half_an_answer_never_looks_like_a_whole_one(token: Path) -> None:
    behind = Behind()
    async with (
        behind.serving() as url,
        Door(url, url, token) as door,
        aiohttp.ClientSession() as http,
        http.get(f"{door.url}/v1/half") as response,
    ):
        with pytest.raises(aiohttp.ClientError):
            await response.read()


async def test_a_caller_that_goes_away_ends_the_call_behind_the_door(token: Path) -> None:
    behind = Behind()
    async with behind.serving() as url, Door(url, url, token) as door:
        async with aiohttp.ClientSession() as http:
            timeout = aiohttp.ClientTimeout(total=0.2)
            with pytest.raises(TimeoutError):
                await http.get(f"{door.url}/v1/silent", timeout=timeout)
        await until(lambda: behind.gone == 1)


async def test_nobody_behind_the_door_is_said_in_each_sides_own_form(token: Path) -> None:
    async with Door(NOWHERE, NOWHERE, token) as door, aiohttp.ClientSession() as http:
        async with http.get(f"{door.url}/v1/run/claim") as response:
            assert response.status == 503
            assert (await response.json(content_type=None))["code"] == "unreachable"
        async with http.get(f"{door.url}/v1/models") as response:
            assert response.status == 503
            assert (await response.json())["error"]["code"] == "unreachable"


async def test_a_missing_token_file_sends_nothing(tmp_path: Path) -> None:
    behind = Behind()
    async with (
        behind.serving() as url,
        Door(url, url, tmp_path / "none") as door,
        aiohttp.ClientSession() as http,
        http.get(f"{door.url}/v1/x") as response,
    ):
        assert response.status == 503
    assert behind.paths == []


@asynccontextmanager
async def _full(url: str, token: Path, path: str) -> AsyncIterator[tuple[Door, list[Call]]]:
    """A door that passes on two calls at once, with two under way."""
    async with (
        Door(url, url, token, most_calls=2) as door,
        aiohttp.ClientSession() as http,
        AsyncExitStack() as stack,
    ):
        calls = [await stack.enter_async_context(http.get(f"{door.url}{path}")) for _ in range(2)]
        yield door, calls


async def test_a_call_too_many_is_refused_and_one_that_has_ended_makes_room(token: Path) -> None:
    behind = Behind()
    async with (
        behind.serving() as url,
        _full(url, token, "/v1/stream") as (door, calls),
        aiohttp.ClientSession() as http,
    ):
        async with http.post(f"{door.url}/v1/chat/completions", data=b"x") as response:
            assert response.status == 429
            assert response.headers["Retry-After"] == "1"
            error = (await response.json())["error"]
            assert (error["code"], error["type"]) == ("too_many_at_once", "rate_limit_error")
            assert "2 calls to the models" in error["message"]
        assert behind.paths == []
        behind.go_on.set()
        for call in calls:
            assert await call.read() == b"firstsecond"
        async with http.get(f"{door.url}/v1/models") as response:
            assert response.status == 418


async def test_a_program_that_asks_the_models_too_much_keeps_its_way_to_the_platform(
    token: Path,
) -> None:
    behind = Behind()
    async with (
        behind.serving() as url,
        _full(url, token, "/v1/stream") as (door, _),
        aiohttp.ClientSession() as http,
        http.post(f"{door.url}/v1/run/heartbeat") as response,
    ):
        assert response.status == 418


async def test_too_many_calls_to_the_platform_are_refused_in_its_form(token: Path) -> None:
    behind = Behind()
    async with (
        behind.serving() as url,
        _full(url, token, "/v1/run/stream") as (door, _),
        aiohttp.ClientSession() as http,
        http.post(f"{door.url}/v1/run/events", data=b"x") as response,
    ):
        assert response.status == 429
        assert response.content_type == "application/problem+json"
        problem = await response.json(content_type=None)
        assert (problem["status"], problem["code"]) == (429, "too_many_at_once")
        assert behind.paths == []


async def test_a_caller_that_goes_away_makes_room(token: Path) -> None:
    behind = Behind()
    async with behind.serving() as url, Door(url, url, token, most_calls=1) as door:
        async with aiohttp.ClientSession() as http:
            timeout = aiohttp.ClientTimeout(total=0.2)
            with pytest.raises(TimeoutError):
                await http.get(f"{door.url}/v1/silent", timeout=timeout)
        await until(lambda: behind.gone == 1)
        async with aiohttp.ClientSession() as http, http.get(f"{door.url}/v1/models") as response:
            assert response.status == 418


async def test_it_names_the_attempts_span_to_whoever_is_asked_by_a_program_that_names_none(
    tmp_path: Path,
) -> None:
    behind, token = Behind(), tmp_path / "token"
    token.write_text("t")
    attempt, own = f"00-{'a' * 32}-{'b' * 16}-01", f"00-{'a' * 32}-{'c' * 16}-01"
    async with (
        behind.serving() as url,
        Door(url, url, token, traceparent=attempt) as door,
        aiohttp.ClientSession() as http,
    ):
        for headers in ({}, {"traceparent": own}):
            async with http.get(f"{door.url}/v1/models", headers=headers):
                pass
    assert [each["traceparent"] for each in behind.headers] == [attempt, own]
