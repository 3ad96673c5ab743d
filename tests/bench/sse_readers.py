"""Many readers of a live stream in one small process, written in C so that it costs less than who is measured."""

import asyncio
import hashlib
import json
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from devtools import console, debian, locks, places, shell
from tests.bench import http_line

SOURCE = Path(__file__).with_name("sse_reader.c")
OPTIONS = ("-O2", "-Wall", "-Wextra", "-Werror")
READY_SECONDS = 120.0


@dataclass(frozen=True)
class Came:
    """What all readers together took; delays in ms from when a message was published to when it was read."""

    taken: int
    missing: int
    disordered: int
    p50: float
    p99: float
    most: float


@dataclass(frozen=True)
class Readers:
    """They are connected, and read until they have all."""

    process: asyncio.subprocess.Process

    async def came(self, seconds: float) -> Came:
        """Wait until they have all, or their own time is over."""
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), seconds)
        assert line, "the readers have ended; the lines above say why"
        return Came(**json.loads(line))


def message(number: int, nanoseconds: int) -> str:
    """The mark by which readers know a message: counted from 1, with the time when it was published."""
    return f"cx#{number}@{nanoseconds}#"


@asynccontextmanager
async def reading(
    port: int, path: str, headers: Mapping[str, str], clients: int, messages: int, seconds: float
) -> AsyncIterator[Readers]:
    """So many readers that wait for so many messages each, for so long at most; they stay for the block."""
    program = await asyncio.to_thread(_program)
    words = [port, clients, messages, int(seconds)]
    process = await asyncio.create_subprocess_exec(
        program,
        *map(str, words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        known = {"Accept": "text/event-stream", **headers}
        process.stdin.write(http_line.request("GET", path, known))
        said = await asyncio.wait_for(process.stdout.readline(), READY_SECONDS)
        assert said == b"ready\n", "the readers were not let in; the lines above say why"
        yield Readers(process)
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), READY_SECONDS) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _program() -> Path:
    """It, made once for each of its texts."""
    key = hashlib.sha256(SOURCE.read_bytes() + " ".join(OPTIONS).encode()).hexdigest()[:12]
    target = places.cache() / "programs" / f"sse-reader-{key}"
    with locks.held(target.parent / "sse-reader.lock", "building the readers of streams"):
        if not target.exists():
            if shutil.which("gcc") is None:
                debian.ensure(debian.COMPILER)
            partial = target.with_suffix(".partial")
            with console.step("build the readers of streams (C)"):
                shell.run(["gcc", *OPTIONS, "-o", partial, SOURCE], hint="install gcc")
            partial.rename(target)
    return target
