"""What our client sends along with each call."""

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from coxswain.errors import UnavailableError
from coxswain.kube.client import REQUEST_ID, Client
from coxswain.kube.credentials import Credentials
from tests.support.measured import value


async def test_a_call_carries_the_id_of_the_request_that_caused_it() -> None:
    seen: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get(REQUEST_ID))
        return web.json_response({})

    app = web.Application()
    app.router.add_get("/version", answer)
    ids = iter(["abc-1", ""])
    async with TestServer(app) as server:
        client = Client(
            Credentials(str(server.make_url("")).rstrip("/"), tls=None),
            request_id=lambda: next(ids),
        )
        await client.get("/version")
        await client.get("/version")
        await client.close()
    assert seen == ["abc-1", None]


@pytest.mark.parametrize(("answer", "counted"), [(200, "2xx"), (503, "5xx"), (None, "none")])
async def test_a_call_is_timed_by_method_and_class_of_answer(
    answer: int | None, counted: str
) -> None:
    async def said(_request: web.Request) -> web.Response:
        return web.json_response({}, status=answer or 200)

    app = web.Application()
    app.router.add_get("/version", said)
    name, of = "coxswain_kube_request_seconds_count", {"method": "GET", "status": counted}
    before = value(name, **of)
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        client = Client(Credentials(url if answer else "http://127.0.0.1:1", tls=None))
        try:
            await client.get("/version")
        except UnavailableError:
            assert answer != 200
        await client.close()
    assert value(name, **of) == before + 1


async def test_a_delete_names_whom_it_means() -> None:
    seen: list[Any] = []

    async def gone(request: web.Request) -> web.Response:
        seen.append(await request.json())
        return web.json_response({})

    app = web.Application()
    app.router.add_delete("/pods/one", gone)
    async with TestServer(app) as server:
        client = Client(Credentials(str(server.make_url("")).rstrip("/"), tls=None))
        await client.delete("/pods/one", uid="u-1")
        await client.delete("/pods/one", uid="u-1", resource_version="7", grace_seconds=0)
        await client.close()
    assert [each["preconditions"] for each in seen] == [
        {"uid": "u-1"},
        {"uid": "u-1", "resourceVersion": "7"},
    ]
    assert [each.get("gracePeriodSeconds") for each in seen] == [None, 0]
