"""What every server of ours does with scanners, and with those who connect and say nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import aiohttp
import pytest
from aiohttp import web

from coxswain.errors import UnauthenticatedError
from coxswain.rules.permissions import Permission
from coxswain.telemetry import metrics
from coxswain.web import server

C = TypeVar("C")
HERE = "127.0.0.1"


class Nobody:
    """Lets nobody in, and counts who asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def admit(self, request: web.Request, kind: type[C], permission: Permission) -> C:
        raise UnauthenticatedError("who are you?")

    async def check(self, request: web.Request) -> None:
        self.asked += 1
        raise UnauthenticatedError("who are you?")


@asynccontextmanager
async def serving(gate: Nobody, keepalive_seconds: float = 60.0) -> AsyncIterator[int]:
    app = server.build("strange", "Strange", [], gate)
    async with server.serving(app, HERE, 0, keepalive_seconds=keepalive_seconds) as port:
        yield port


def dropped() -> float:
    found = metrics.REGISTRY.get_sample_value(
        "coxswain_probes_dropped_total", {"server": "strange"}
    )
    return found or 0.0


@pytest.mark.parametrize("path", ["/.env", "/.git/config", "/secrets", "/wp-login.php"])
async def test_a_scanner_reaches_no_handler_and_gets_no_body_and_is_counted(path: str) -> None:
    gate, before = Nobody(), dropped()
    async with (
        serving(gate) as port,
        aiohttp.ClientSession() as session,
        session.get(f"http://{HERE}:{port}{path}") as answer,
    ):
        assert (answer.status, await answer.read()) == (404, b"")
        assert answer.headers["Connection"] == "close"
    assert (gate.asked, dropped() - before) == (0, 1)


async def test_whoever_asks_for_something_else_is_answered_as_ever() -> None:
    gate, before = Nobody(), dropped()
    async with (
        serving(gate) as port,
        aiohttp.ClientSession() as session,
        session.get(f"http://{HERE}:{port}/nothing") as answer,
    ):
        assert answer.status == 401
    assert (gate.asked, dropped() - before) == (1, 0)


@pytest.mark.parametrize("said", [b"", b"POST /v1/x HTTP/1.1\r\nHost: x\r\nA-Header: and no"])
async def test_a_connection_without_a_whole_head_is_closed(said: bytes) -> None:
    async with serving(Nobody(), keepalive_seconds=0.1) as port:
        reader, writer = await asyncio.open_connection(HERE, port)
        writer.write(said)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()
