"""The real model door in this process: real routes, real providers, usage kept in a list."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import web

from coxswain.api.contract import RunDocument
from coxswain.errors import NotFoundError, UnauthenticatedError
from coxswain.gateway.models.api import ModelDoor, in_openai_format
from coxswain.gateway.models.calls import Calls
from coxswain.gateway.models.deltas import Voice
from coxswain.gateway.models.destinations import Destinations
from coxswain.gateway.models.upstream import Upstream
from coxswain.identity.callers import AgentCaller
from coxswain.rules.permissions import Permission
from coxswain.store.claims import Pod
from coxswain.store.deltas import Piece
from coxswain.store.usage import Call
from coxswain.web import server
from tests.support.rows import run_of

TOKEN = "the-token"
C = TypeVar("C")


@dataclass
class ModelGateway:
    """What a test may set and see."""

    run: RunDocument
    secrets: dict[str, dict[str, Any]] = field(default_factory=dict)
    listed: Sequence[str] = ()
    rows: list[Call] = field(default_factory=list)
    doubted: list[str] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    away: bool = False
    url: str = ""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["ModelGateway"]:
        """Listen for the length of a block."""
        upstream = Upstream(read_seconds=0.5, total_seconds=10)
        destinations = Destinations(self._secret, listed_urls=self.listed, demo=_on)
        calls = Calls(destinations, upstream, self._record, self._voice)
        app = server.build("models", "test", [ModelDoor(calls, self.doubted.append)], self)
        app.middlewares.append(in_openai_format)
        async with server.serving(app, "127.0.0.1", 0, drain_seconds=0.2) as port:
            self.url = f"http://127.0.0.1:{port}"
            yield self
        await upstream.close()

    async def admit(self, request: web.Request, kind: type[C], permission: Permission) -> C:
        """Let in whoever has the token, as the pod of the run."""
        await self.check(request)
        caller = AgentCaller(
            Pod(self.run.workspace, "coxswain-agent", "pod", "uid"), run_of(self.run)
        )
        assert isinstance(caller, kind)
        return caller

    async def check(self, request: web.Request) -> None:
        """Refuse everybody else."""
        if self.away:
            raise web.HTTPBadGateway
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise UnauthenticatedError("who are you?")

    async def _secret(self, path: str) -> dict[str, Any]:
        if path not in self.secrets:
            raise NotFoundError("no such secret")
        return self.secrets[path]

    async def _record(self, call: Call) -> None:
        self.rows.append(call)

    def _voice(self, run: RunDocument) -> Voice:
        return Voice(self, run)

    def offer(self, piece: Piece) -> None:
        """Keep what a model says."""
        self.pieces.append(piece)

    def hurry(self, call: str) -> None:
        """Nobody waits."""


async def _on() -> bool:
    return True
