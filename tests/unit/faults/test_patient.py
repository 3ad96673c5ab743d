"""A client that asks again: until there is an answer, and what it did itself is no refusal."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from coxswain.errors import ConflictError, NotFoundError
from coxswain.kube.credentials import Credentials
from tests.support.patient import PatientClient

POD = {"metadata": {"name": "one"}}


@asynccontextmanager
async def _answering(*codes: int) -> AsyncIterator[tuple[PatientClient, Iterator[int]]]:
    """A client of a server that answers so, one after the other; what is left tells who asked how often."""
    left = iter(codes)

    async def answer(_: web.Request) -> web.Response:
        code = next(left)
        body: dict[str, Any] = {} if code >= 400 else {"metadata": {"uid": "u-1"}}
        return web.json_response(body, status=code)

    app = web.Application()
    app.router.add_route("*", "/pods", answer)
    async with TestServer(app) as server:
        client = PatientClient(Credentials(str(server.make_url("")).rstrip("/"), tls=None))
        yield client, left
        await client.close()


async def test_it_asks_until_it_is_answered() -> None:
    async with _answering(503, 429, 200) as (client, left):
        assert await client.get("/pods") == {"metadata": {"uid": "u-1"}}
        assert list(left) == []


async def test_what_is_there_when_it_asks_again_it_has_made_itself() -> None:
    async with _answering(504, 409) as (client, left):
        assert await client.create("/pods", POD) == POD
        assert list(left) == []


async def test_what_was_there_when_it_asked_first_is_another_ones() -> None:
    async with _answering(409) as (client, _):
        with pytest.raises(ConflictError):
            await client.create("/pods", POD)


async def test_what_is_gone_when_it_asks_again_it_has_deleted_itself() -> None:
    async with _answering(504, 404) as (client, left):
        await client.delete("/pods", uid="u-1")
        assert list(left) == []


async def test_what_was_gone_when_it_asked_first_is_told() -> None:
    async with _answering(404) as (client, _):
        with pytest.raises(NotFoundError):
            await client.delete("/pods", uid="u-1")


async def test_a_change_of_what_is_gone_is_told_however_often_it_asked() -> None:
    async with _answering(503, 404) as (client, _):
        with pytest.raises(NotFoundError):
            await client.patch("/pods", {})
