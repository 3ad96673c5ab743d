"""The process that plays every node, as the driver of a bench holds it."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devtools import places
from tests.bench import agent_process, node_process
from tests.bench.sides import Side

STATE_SECONDS = 60.0


@dataclass
class Nodes:
    """``pids`` are its process, and that of the agents where there are any."""

    pids: Mapping[str, int]
    _process: asyncio.subprocess.Process

    async def state(self, **request: Any) -> dict[str, Any]:
        """Ask for something, and how it stands: pods, twice, held, faults.

        ``hold`` holds or lets run the pods that come; ``end`` ends so many of those that are held.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        return await _line(self._process)

    async def check(self, pods: int) -> None:
        """Raise AssertionError unless there were so many pods, each once."""
        found = await self.state()
        assert not found["faults"], found["faults"]
        assert (found["pods"], found["twice"]) == (pods, 0), f"of {pods} pods: {found}"


@asynccontextmanager
async def started(kubeconfig: Path, side: Side) -> AsyncIterator[Nodes]:
    """The nodes of a side for the length of a block."""
    environment = {**os.environ, "PYTHONPATH": str(places.REPOSITORY / "hack")}
    if side.database is not None:
        environment[agent_process.DSN] = side.database.sidecar
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        node_process.__name__,
        str(kubeconfig),
        side.namespace,
        side.selector,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=places.REPOSITORY,
        env=environment,
    )
    try:
        agents = (await _line(process))["agents"]
        pids = {"kubelet": process.pid}
        yield Nodes(pids if agents is None else {**pids, "agents": agents}, process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def _line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    async with asyncio.timeout(STATE_SECONDS):
        line = await process.stdout.readline()
    assert line, "the process of the nodes has ended"
    found: dict[str, Any] = json.loads(line)
    return found
