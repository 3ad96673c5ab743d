"""A node that only exists on paper, as a process: `python -m tests.bench.node_process KUBECONFIG NAMESPACE SELECTOR`.

Each pod is reported Running and then Succeeded, one write each, whoever made it; where the variable of
``agent_process`` is set, an agent claims its run and posts a result in between. No pod is bound: that
would be one more write, the scheduler's, on both sides. A line of JSON on its input is a request, and
each is answered by a line that says how it stands.
"""

import asyncio
import os
import sys
from collections import Counter, deque
from pathlib import Path
from typing import Any

import orjson

from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.kube.watch import Change, Hears, Raw, Stream
from tests.bench import agent_process
from tests.bench.agent_process import CLAIM, DSN, POST
from tests.support.pods import TERMINAL, FakePod

NODE = "paper-node"
ADDRESS = "10.244.0.1"


class Agents:
    """The process of the agents, or nobody where there is no database."""

    def __init__(self) -> None:
        self.process: asyncio.subprocess.Process | None = None
        self._asked: dict[str, asyncio.Future[None]] = {}
        self._hearing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it if it is needed."""
        if DSN in os.environ:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                agent_process.__name__,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            self._hearing = asyncio.create_task(self._hear(self.process))

    async def ask(self, verb: str, pod: FakePod) -> None:
        """Do what a pod's first or last call does."""
        if self.process is None or self.process.stdin is None:
            return
        done = asyncio.get_running_loop().create_future()
        self._asked[pod.uid] = done
        account = pod.raw["spec"]["serviceAccountName"]
        words = [verb, pod.namespace, account, pod.name, pod.uid, pod.environment["COXSWAIN_RUN"]]
        self.process.stdin.write(f"{' '.join(words)}\n".encode())
        await self.process.stdin.drain()
        await done

    async def _hear(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            self._asked.pop(line.decode().strip()).set_result(None)
        for each in self._asked.values():
            each.set_exception(RuntimeError("the process of the agents has ended"))


class Node:
    """Runs every pod that it sees, once."""

    def __init__(self, client: Client, agents: Agents) -> None:
        self._client = client
        self._agents = agents
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._pods: Counter[str] = Counter()
        self._held: deque[str] = deque()
        self._told: dict[str, asyncio.Event] = {}
        self._faults: list[str] = []
        self._is_holding = False

    def listed(self, raws: Any, _version: int) -> None:
        """What is there."""
        for raw in raws:
            self.changed(Change("ADDED", raw))

    def changed(self, change: Change) -> None:
        """What comes."""
        raw = change.raw
        phase = raw.get("status", {}).get("phase")
        if change.type == "ADDED" and phase not in TERMINAL:
            uid = raw["metadata"]["uid"]
            if uid not in self._tasks:
                self._tasks[uid] = asyncio.create_task(self._run(raw))

    async def asked(self, request: dict[str, Any]) -> dict[str, Any]:
        """Hold or let run the pods that come; end so many of those that are held."""
        self._is_holding = request.get("hold", self._is_holding)
        uids = [self._held.popleft() for _ in range(request.get("end", 0))]
        for uid in uids:
            self._told[uid].set()
        await asyncio.gather(*(self._tasks[uid] for uid in uids))
        return {
            "pods": len(self._pods),
            "twice": sum(count > 1 for count in self._pods.values()),
            "held": len(self._held),
            "faults": self._faults[:3],
        }

    async def _run(self, raw: Raw) -> None:
        pod = FakePod(self._client, raw, NODE, ADDRESS)
        self._pods[pod.name] += 1
        try:
            await pod.starts()
            await self._agents.ask(CLAIM, pod)
            if self._is_holding:
                self._told[pod.uid] = asyncio.Event()
                self._held.append(pod.uid)
                await self._told[pod.uid].wait()
            await self._agents.ask(POST, pod)
            await pod.ends()
        except Exception as error:  # noqa: BLE001 - whoever asks shall see it
            self._faults.append(f"{pod.name}: {error!r}")


async def main() -> None:
    """Say that it is ready, then answer until there is no more input."""
    kubeconfig, namespace, selector = sys.argv[1:]
    client = await Client.connect(Path(kubeconfig), name="bench-node")
    agents = Agents()
    await agents.start()
    node = Node(client, agents)
    path = paths.collection("pods", namespace)
    stream = Stream(client, path, selector, Hears(node.listed, node.changed))
    await stream.list()
    watching = asyncio.create_task(stream.run())
    requests = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(requests), sys.stdin)
    _say({"agents": agents.process.pid if agents.process is not None else None})
    while line := await requests.readline():
        _say(await node.asked(orjson.loads(line)))
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await client.close()


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(main())
