"""The API server is away for long: how soon everything has come to its end once it answers again.

Two replicas of the operator with the times of a real election; agents are at work, and go on. As the API
server answers again their pods end, all at once, and as many Jobs are made. Run it with `hack/bench outage`;
`--seconds 60` is a shorter outage.
"""

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coxswain.kube.client import Client
from devtools.controlplane import ControlPlane
from tests.bench import load, sides
from tests.bench.conftest import Asked
from tests.bench.figures import Figure
from tests.bench.report import Report
from tests.bench.sides import Ours
from tests.support import apiserver, postgres
from tests.support.kubelet import Kubelet
from tests.support.leader import Operator
from tests.support.pods import FakePod
from tests.support.postgres import Server
from tests.support.workspace import Ledger

SECONDS = 600
JOBS = 20
REPLICAS = ("one", "two")
LONGEST_SECONDS, LOOK_SECONDS = 300.0, 0.1
LINES = [
    Figure("to the first write, s", "less"),
    Figure("to converged, s", "less"),
    Figure("starts anew of a replica", digits=0),
]


@dataclass
class Scene:
    """Ours, a kubelet, and agents that are at work until the API server answers again."""

    plane: ControlPlane
    side: Ours
    client: Client
    ledger: Ledger
    is_back: asyncio.Event = field(default_factory=asyncio.Event)

    async def works(self, pod: FakePod) -> None:
        """An agent and what its kubelet reports of it."""
        await pod.starts()
        await self.ledger.claim(pod)
        await self.is_back.wait()
        await self.ledger.post(pod, status="succeeded")
        await pod.ends()

    async def outage(self, jobs: int, seconds: float, replicas: list[Operator]) -> dict[str, float]:
        """Put Jobs to work, take the API server away for so long, and see how all comes to its end."""
        await self.side.ready(self.client)
        await load.make(self.client, self.side, [f"before-{n}" for n in range(jobs)])
        while (await self._phases())["Running"] < jobs:  # noqa: ASYNC110 - others do it
            await asyncio.sleep(LOOK_SECONDS)
        self.plane.kill("kube-apiserver")
        await asyncio.sleep(seconds)
        # In this thread, with whose end it would end.
        self.plane.start_again("kube-apiserver")
        self.plane.await_ready("kube-apiserver")
        began = time.monotonic()
        # Ready, it may answer 429 for a kind whose storage is on its way.
        await apiserver.until_served(self.client)
        known = await self._versions()
        self.is_back.set()
        await load.make(self.client, self.side, [f"after-{n}" for n in range(jobs)])
        wrote = asyncio.create_task(self._wrote(known))
        async with asyncio.timeout(LONGEST_SECONDS):
            while (await self._phases())["Succeeded"] < 2 * jobs:  # noqa: ASYNC110 - others do it
                await asyncio.sleep(LOOK_SECONDS)
            await self.side.check(2 * jobs)
        return {
            "to the first write, s": await wrote - began,
            "to converged, s": time.monotonic() - began,
            "starts anew of a replica": sum(each.text.count("starting anew") for each in replicas),
        }

    async def _wrote(self, known: dict[str, str]) -> float:
        """When a Job that stood before was written to first."""
        while True:
            found = await self._versions()
            if any(found[name] != version for name, version in known.items()):
                return time.monotonic()
            await asyncio.sleep(LOOK_SECONDS)

    async def _versions(self) -> dict[str, str]:
        found = [each["metadata"] for each in await self._jobs()]
        return {each["name"]: each["resourceVersion"] for each in found}

    async def _phases(self) -> Counter[str]:
        return Counter(str(each.get("status", {}).get("phase")) for each in await self._jobs())

    async def _jobs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.client.get(self.side.path))["items"]
        return found


def test_the_api_server_is_away_for_long(asked: Asked, postgres: Server, tmp_path: Path) -> None:
    jobs, seconds = asked.size or JOBS, asked.seconds or SECONDS
    setting = f"API server away for {seconds} s, {jobs} Jobs at work and {jobs} made after it"
    report = Report("Outage", setting, [Ours.name], LINES, asked.json)
    for run in range(asked.runs):
        folder = tmp_path / str(run)
        folder.mkdir()
        with sides.started(Ours.name, postgres, folder) as (side, plane):
            assert isinstance(side, Ours)
            report.add(Ours.name, asyncio.run(_measured(side, plane, jobs, seconds)))
    print(f"\n\n{report.text()}\n")


async def _measured(side: Ours, plane: ControlPlane, jobs: int, seconds: float) -> dict[str, float]:
    async with AsyncExitStack() as stack:
        client = await Client.connect(plane.kubeconfig, name="bench-driver")
        stack.push_async_callback(client.close)
        await side.prepare(client)
        store = await stack.enter_async_context(postgres.opened(side.database.sidecar))
        replicas = [stack.enter_context(side.replica(name)) for name in REPLICAS]
        scene = Scene(plane, side, client, Ledger(store))
        kubelet = Kubelet(client, scene.works, namespace=side.namespace)
        await stack.enter_async_context(kubelet)
        found = await scene.outage(jobs, seconds, replicas)
        assert not kubelet.faults, kubelet.faults
        assert set(kubelet.runs.values()) == {1}, kubelet.runs
    return found
