"""Answers have tags, and a caller who has one that is still good is not sent it again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import aiohttp
import pytest
from aiohttp import web

from coxswain.api.meta import Model
from coxswain.rules.permissions import Permission, Who
from coxswain.web import server
from coxswain.web.routes import Answer, Call, route

C = TypeVar("C")
USERS = Permission(Who.USER)
TABLE = {
    "GET /v1/plain": USERS,
    "GET /v1/versioned": USERS,
    "POST /v1/plain": USERS,
    "POST /v1/versioned": USERS,
}


class Visitor:
    """Anybody."""


class Open:
    """Lets everybody in."""

    async def admit(self, request: web.Request, kind: type[C], permission: Permission) -> C:
        return kind()

    async def check(self, request: web.Request) -> None:
        """Everybody is welcome."""


class Thing(Model):
    title: str


class Things:
    title = "x"

    @route("GET", "/v1/plain")
    async def read_plain(self, call: Call, caller: Visitor) -> Thing:
        """Read what has no version."""
        return Thing(title=self.title)

    @route("GET", "/v1/versioned")
    async def read_versioned(self, call: Call, caller: Visitor) -> Answer[Thing]:
        """Read what has one."""
        return Answer(Thing(title=self.title), headers={"ETag": '"7"'})

    @route("POST", "/v1/plain")
    async def change_plain(self, call: Call, caller: Visitor) -> Thing:
        """Change what has no version."""
        return Thing(title=self.title)

    @route("POST", "/v1/versioned", errors=(412,))
    async def change_versioned(self, call: Call, caller: Visitor) -> Thing:
        """Change what has one."""
        return Thing(title=self.title)


@asynccontextmanager
async def running(things: Things) -> AsyncIterator[aiohttp.ClientSession]:
    app = server.build("test", "Things", [things], Open(), TABLE)
    async with (
        server.serving(app, "127.0.0.1", 0, drain_seconds=1) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        yield session


async def ask(session: aiohttp.ClientSession, path: str, given: str = "") -> tuple[int, str, bytes]:
    headers = {"If-None-Match": given} if given else {}
    async with session.get(path, headers=headers) as answer:
        return answer.status, answer.headers["ETag"], await answer.read()


@pytest.mark.parametrize("path", ["/v1/plain", "/v1/versioned"])
async def test_what_has_not_changed_is_304_without_a_body(path: str) -> None:
    async with running(Things()) as session:
        _, tag, _ = await ask(session, path)
        for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            assert await ask(session, path, given) == (304, tag, b""), given
        status, _, body = await ask(session, path, '"other"')
    assert (status, body) == (200, b'{"title":"x"}')


async def test_what_has_no_version_has_a_tag_that_changes_with_it() -> None:
    things = Things()
    async with running(things) as session:
        _, before, _ = await ask(session, "/v1/plain")
        things.title = "y"
        status, after, _ = await ask(session, "/v1/plain", before)
    assert status == 200
    assert after != before


async def test_a_version_is_the_tag() -> None:
    async with running(Things()) as session:
        assert (await ask(session, "/v1/versioned"))[1] == '"7"'


async def test_if_match_is_refused_where_nothing_would_come_of_it() -> None:
    async with running(Things()) as session:
        headers = {"If-Match": '"7"'}
        async with session.post("/v1/plain", headers=headers) as answer:
            problem = await answer.json(content_type=None)
            assert (answer.status, problem["field"]) == (422, "header.If-Match")
        async with session.post("/v1/versioned", headers=headers) as answer:
            assert answer.status == 200


async def test_the_document_names_tags_and_conditions() -> None:
    async with running(Things()) as session, session.get("/v1/openapi.json") as answer:
        paths = (await answer.json())["paths"]

    def headers(path: str, method: str) -> list[str]:
        return [each["name"] for each in paths[path][method]["parameters"]]

    assert headers("/v1/plain", "get") == ["If-None-Match"]
    assert headers("/v1/versioned", "post") == ["If-Match"]
    assert headers("/v1/plain", "post") == []
    assert {"200", "304"} < set(paths["/v1/plain"]["get"]["responses"])
    assert "ETag" in paths["/v1/plain"]["get"]["responses"]["200"]["headers"]
