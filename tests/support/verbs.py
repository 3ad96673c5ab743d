"""Processes of the platform as a pod would run them: ``python -m coxswain VERB`` with settings, their log in a file."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from devtools import children
from tests.support.postgres import Database

HERE = "127.0.0.1"


@dataclass(frozen=True)
class Running:
    """One of them."""

    process: subprocess.Popen[bytes]
    url: str
    health_url: str
    log: Path

    @property
    def text(self) -> str:
        """What it has logged so far."""
        return self.log.read_text(errors="replace")

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The same, line by line."""
        return [json.loads(each) for each in self.text.splitlines() if each.startswith("{")]

    def banners(self) -> list[dict[str, Any]]:
        """The lines by which it says what it has started."""
        return [each for each in self.lines if each["event"] == "started"]

    async def asked(self, path: str) -> tuple[int, str]:
        """What its health port answers, once it is open."""
        async with aiohttp.ClientSession() as session, asyncio.timeout(60):
            while True:
                assert self.process.poll() is None, self.text
                try:
                    async with session.get(f"{self.health_url}{path}") as answer:
                        return answer.status, await answer.text()
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)

    async def readiness(self) -> dict[str, Any]:
        """What /readyz says, with the status of the answer."""
        status, text = await self.asked("/readyz")
        return {"status": status, **json.loads(text)}

    async def becomes(self, *broken: str, seconds: float = 40.0) -> dict[str, Any]:
        """Wait until these and no others are broken, in this order."""
        said: dict[str, Any] = {}
        try:
            async with asyncio.timeout(seconds):
                while (said := await self.readiness())["broken"] != list(broken):  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.1)
        except TimeoutError:
            _, verbose = await self.asked("/readyz?verbose")
            raise AssertionError(f"{broken} wanted: {verbose}") from None
        return said

    async def turns(self, role: str, seconds: float = 60.0) -> dict[str, Any]:
        """Its banner of this role, once it is there."""
        async with asyncio.timeout(seconds):
            while True:
                for each in self.banners():
                    if each["role"] == role:
                        return each
                await asyncio.sleep(0.05)

    async def says(self, seconds: float = 60.0) -> dict[str, Any]:
        """Its banner, once it is there."""
        async with asyncio.timeout(seconds):
            while not self.banners():
                assert self.process.poll() is None, self.text
                await asyncio.sleep(0.05)
        return self.banners()[0]


@contextmanager
def running(verb: str, folder: Path, dsn: str, **settings: Any) -> Iterator[Running]:
    """``coxswain VERB`` for the length of a block; an operator then gives up its lease."""
    port, health_port = children.free_port(), children.free_port()
    wanted = {
        "database_dsn": dsn,
        "bind": HERE,
        "port": port,
        "health_port": health_port,
        "installation": "test",
        **settings,
    }
    environment = {
        f"COXSWAIN_{name.upper()}": value if isinstance(value, str) else _text(value)
        for name, value in wanted.items()
        if value is not None
    }
    log = folder / f"{verb}-{uuid4().hex[:6]}.log"
    command = [sys.executable, "-m", "coxswain", verb]
    process = children.start(command, log, {**os.environ, **environment})
    url, health_url = (f"http://{HERE}:{each}" for each in (port, health_port))
    try:
        yield Running(process, url, health_url, log)
    except BaseException:
        sys.stderr.write(f"--- {log.name}\n{children.tail(log, 60)}\n")
        raise
    finally:
        if verb == "operator":
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)
        children.stop(process)


def dsn(database: Database, verb: str) -> str:
    """The address of a database for the role of a process."""
    found: str = getattr(database, verb if verb in ("operator", "sidecar") else "gateway")
    return found


def _text(value: object) -> str:
    return str(value) if isinstance(value, Path | int | float) else json.dumps(value)
