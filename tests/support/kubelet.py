"""A kubelet and scheduler that only exist on paper: they watch pods and report what a script says.

    async with Kubelet(client, script=pods.succeeds) as kubelet:
        ...                       # each pod of ours runs its script once
    Kubelet(client, script=pods.runs(my_agent))     # the pod acts as an agent
    Kubelet(client, script=..., delay=0.5)          # slow: waits before each pod
    kubelet.die(); await kubelet.revive()           # a node that is away and comes back

A deleted pod is told to end, gets up to its grace period, and is then confirmed as gone. One that is
deleted with no time at all is told nothing.
"""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import aiohttp

from coxswain.errors import ConflictError, NotFoundError, TransientError
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.names import LABEL_MANAGED_BY, MANAGER
from tests.support.pods import TERMINAL, FakePod, Script, succeeds

Body = dict[str, Any]
WATCH_SECONDS = 300
OURS = f"{LABEL_MANAGED_BY}={MANAGER}"


class Kubelet:
    """Plays every node of a cluster."""

    def __init__(
        self,
        client: Client,
        script: Script = succeeds,
        *,
        namespace: str | None = None,
        selector: str = OURS,
        delay: float = 0.0,
        stop_seconds: float = 1.0,
        binds: bool = True,
    ) -> None:
        self.script = script
        self.delay = delay
        self.binds = binds
        """Whether pods get a node; without one a deletion needs no kubelet."""
        self.runs: Counter[str] = Counter()
        """How often a pod of each name was started: more than once is two pods for one attempt."""
        self.faults: list[BaseException] = []
        """What scripts raised; a test that expects none asserts that it is empty."""
        self._client = client
        self._path = paths.collection("pods", namespace)
        self._selector = selector
        self._stop_seconds = stop_seconds
        self._addresses = (f"10.244.{n // 250}.{n % 250 + 1}" for n in itertools.count())
        self._pods: dict[str, FakePod] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ends: dict[str, asyncio.Task[None]] = {}
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start watching."""
        await self.revive()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, leaving the pods as they are."""
        await asyncio.gather(*self._cancelled(), return_exceptions=True)

    def die(self) -> None:
        """Stop reporting: pods stay as they were last seen, deletions are not confirmed."""
        self._cancelled()

    async def revive(self) -> None:
        """Look again. What had run is lost; what had not started yet starts now."""
        self._pods.clear()
        self._watching = asyncio.create_task(self._watch())

    def _cancelled(self) -> list[asyncio.Task[None]]:
        tasks = [*self._tasks.values(), *self._ends.values()]
        if self._watching is not None:
            tasks.append(self._watching)
        for task in tasks:
            task.cancel()
        self._tasks.clear()
        self._ends.clear()
        return tasks

    async def _watch(self) -> None:
        credentials = self._client.credentials
        connector = aiohttp.TCPConnector(ssl=credentials.tls or True)
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(
            credentials.url, connector=connector, timeout=timeout
        ) as session:
            while True:
                try:
                    async for event in self._events(session):
                        self._see(event["type"], event["object"])
                except TransientError:
                    await asyncio.sleep(0.2)

    async def _events(self, session: aiohttp.ClientSession) -> AsyncIterator[Body]:
        found = await self._client.get(self._path, {"labelSelector": self._selector})
        for pod in found["items"]:
            yield {"type": "ADDED", "object": pod}
        params = {
            "watch": "1",
            "labelSelector": self._selector,
            "resourceVersion": found["metadata"]["resourceVersion"],
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        try:
            async with session.get(self._path, params=params, read_bufsize=2**20) as response:
                async for line in response.content:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        return
                    yield event
        except (aiohttp.ClientError, ValueError):
            await asyncio.sleep(0.2)

    def _see(self, change: str, raw: Body) -> None:
        uid = raw["metadata"]["uid"]
        if change == "DELETED":
            self._forget(uid)
            return
        pod = self._pods.get(uid)
        if pod is None:
            phase = raw.get("status", {}).get("phase", "Pending")
            pod = FakePod(self._client, raw, "paper-node", next(self._addresses), phase)
            self._pods[uid] = pod
            if "deletionTimestamp" not in raw["metadata"]:
                self._tasks[uid] = asyncio.create_task(self._live(pod))
        if "deletionTimestamp" in raw["metadata"] and uid not in self._ends:
            grace = float(raw["metadata"].get("deletionGracePeriodSeconds") or 0)
            self._ends[uid] = asyncio.create_task(self._end(pod, grace))

    async def _live(self, pod: FakePod) -> None:
        if pod.phase in TERMINAL:
            return
        try:
            if pod.phase == "Running":
                await pod.ends(137, "ContainerStatusUnknown")
                return
            await asyncio.sleep(self.delay)
            if self.binds and not pod.raw["spec"].get("nodeName"):
                await pod.is_scheduled()
            self.runs[pod.name] += 1
            await self.script(pod)
        except (NotFoundError, ConflictError):
            return
        except Exception as error:  # noqa: BLE001 - a script is a test's own; the test shall see it
            self.faults.append(error)

    async def _end(self, pod: FakePod, grace: float) -> None:
        if grace > 0:
            pod.stopping.set()
        task = self._tasks.get(pod.uid)
        if task is not None:
            await asyncio.wait([task], timeout=min(grace, self._stop_seconds))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await pod.confirm_end()

    def _forget(self, uid: str) -> None:
        self._pods.pop(uid, None)
        self._ends.pop(uid, None)
        task = self._tasks.pop(uid, None)
        if task is not None:
            task.cancel()
