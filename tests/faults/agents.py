"""Agents as the tester needs them: each claims its run, writes down that it began, and says how it ended.

What they write down is a file that no part of the platform can reach.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

from coxswain import names
from coxswain.errors import CoxswainError, NotFoundError
from coxswain.kube import paths
from coxswain.store import reports
from tests.faults.callers import Api, Worker
from tests.faults.history import Effect
from tests.support.pods import FakePod
from tests.support.workspace import Ledger

REFUSED = 77
LOOK_SECONDS = 0.02
ASK_SECONDS = 0.1
"""Between two questions to the API server, which are many while nobody leads."""
Script = Callable[["Agents", FakePod], Awaitable[None]]


class Agents:
    """All agents of a run."""

    def __init__(self, ledger: Ledger, file: Path, api: Api) -> None:
        self._ledger = ledger
        self._file = file
        self._api = api
        self._came: set[str] = set()

    def comes(self, pod: FakePod) -> int:
        """Note that a pod is there; how many have been there by now."""
        self._came.add(pod.uid)
        return len(self._came)

    async def until_come(self, pods: int) -> None:
        """Wait until so many pods have been there."""
        while len(self._came) < pods:  # noqa: ASYNC110 - others do it
            await asyncio.sleep(LOOK_SECONDS)

    async def begins(self, pod: FakePod) -> bool:
        """Claim the run of a pod that starts; False where another one has it, and then it has ended.

        It works until the Job is known to run, so that each run of a workload takes the same steps.
        """
        await pod.starts()
        try:
            run = await self._ledger.claim(pod)
        except CoxswainError:
            await pod.ends(REFUSED)
            return False
        await self._works(pod, run.token)
        return True

    @asynccontextmanager
    async def at_the_api(self, pod: FakePod) -> AsyncIterator[Worker | None]:
        """The same over HTTP; None in place of False."""
        await pod.starts()
        async with self._api.worker(pod) as worker:
            try:
                token = await worker.claims()
            except CoxswainError:
                await pod.ends(REFUSED)
                yield None
            else:
                await self._works(pod, token)
                yield worker

    async def _works(self, pod: FakePod, token: int) -> None:
        job, _, attempt = pod.environment["COXSWAIN_RUN"].partition("/")
        effect = Effect(job, int(attempt), pod.uid, token)
        with self._file.open("a") as file:
            file.write(json.dumps(asdict(effect)) + "\n")
        while not await _is_known(pod):  # noqa: ASYNC110 - others do it
            await asyncio.sleep(ASK_SECONDS)

    async def acts(self, pod: FakePod, act: UUID, name: str) -> None:
        """Begin something with an effect outside, which never ends."""
        await self._ledger.store.transact(reports.begin_act, pod.uid, act, name)

    async def says(self, pod: FakePod, status: str, **more: object) -> None:
        """Post the result. A run that was closed meanwhile takes none."""
        try:
            await self._ledger.post(pod, status=status, **more)
        except CoxswainError:
            return

    async def until_begun(self, attempts: int) -> None:
        """Wait until so many have begun to work."""
        while len(self.effects()) < attempts:  # noqa: ASYNC110 - others do it
            await asyncio.sleep(LOOK_SECONDS)

    def effects(self) -> list[Effect]:
        """What began."""
        if not self._file.exists():
            return []
        return [Effect(**json.loads(line)) for line in self._file.read_text().splitlines()]


async def _is_known(pod: FakePod) -> bool:
    """Whether the Job of a pod has its attempt in its status, or will have it no more."""
    name = pod.raw["metadata"]["labels"][names.LABEL_JOB]
    try:
        job = await pod.client.get(paths.of("jobs", pod.namespace, name))
    except NotFoundError:
        return True
    status = job.get("status") or {}
    return status.get("phase") != "Queued" and int(status.get("attempt", 0)) >= pod.attempt


def works(codes: Mapping[int, int] | None = None) -> Script:
    """An agent that says nothing and ends with the exit code of its attempt; 0 where none is given."""

    async def script(agents: Agents, pod: FakePod) -> None:
        if await agents.begins(pod):
            await pod.ends((codes or {}).get(pod.attempt, 0))

    return script


def works_as(codes: Mapping[str, Mapping[int, int]]) -> Script:
    """The same, with exit codes by the name of the Job."""

    async def script(agents: Agents, pod: FakePod) -> None:
        if await agents.begins(pod):
            job = pod.raw["metadata"]["labels"][names.LABEL_JOB]
            await pod.ends(codes.get(job, {}).get(pod.attempt, 0))

    return script


def answers(status: str = "succeeded", **result: object) -> Script:
    """An agent that posts a result and ends well."""

    async def script(agents: Agents, pod: FakePod) -> None:
        if await agents.begins(pod):
            await agents.says(pod, status, **result)
            await pod.ends(0)

    return script


async def hangs(agents: Agents, pod: FakePod) -> None:
    """An agent that works until it is told to end."""
    if await agents.begins(pod):
        await pod.stopping.wait()
