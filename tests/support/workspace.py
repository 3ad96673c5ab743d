"""One workspace of a running installation: what a person does there, and what comes of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coxswain.api.conditions import ConditionType, find
from coxswain.api.contract import RunResult
from coxswain.api.job import TERMINAL
from coxswain.api.kind import Agent, Job, Lease
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.names import AGENT_SERVICE_ACCOUNT
from coxswain.store import claims, events, reports, runs, verdicts
from coxswain.store.events import Filter, StoredEvent
from coxswain.store.pool import Store
from coxswain.store.runs import Run, RunKey
from coxswain.store.verdicts import Verdict
from tests.support import apiserver, builders
from tests.support.builders import Builder
from tests.support.pods import FakePod

Body = dict[str, Any]
LOOK_SECONDS = 0.05
WAIT_SECONDS = 30.0


@dataclass(frozen=True)
class Workspace:
    """A namespace, and an administrator who works in it."""

    client: Client
    namespace: str
    patience: float = WAIT_SECONDS
    """How long to wait for something, unless it is said otherwise (seconds)."""

    async def apply(self, builder: Builder) -> Body:
        """Server-side apply."""
        return await apiserver.apply(
            self.client, self.namespace, builder.in_namespace(self.namespace).manifest
        )

    async def has_agent(self, name: str = "a", **spec: Any) -> Agent:
        """Make an Agent and wait until it is ready."""
        await self.apply(builders.agent(name).with_spec(**spec))
        return await self.agent_is(name, "Ready")

    async def has_job(self, name: str = "j", agent: str = "a", **spec: Any) -> Job:
        """Make a Job that runs a command."""
        made = builders.job(name, agent).with_command("true").with_spec(**spec)
        return Job.parse(await self.apply(made))

    async def has_lease(self, name: str = "deploy", **spec: Any) -> Lease:
        """Make a Lease and wait until the operator has looked at it."""
        await self.apply(builders.lease(name).with_spec(**spec))
        return await self.lease_is(lambda lease: lease.status.state is not None, name)

    async def lease(self, name: str = "deploy") -> Lease:
        """A Lease as it is now."""
        return Lease.parse(await self.client.get(paths.of("leases", self.namespace, name)))

    async def lease_is(
        self, holds: Callable[[Lease], bool], name: str = "deploy", seconds: float | None = None
    ) -> Lease:
        """Wait until something is true of a Lease."""
        found = await self.lease(name)
        try:
            async with asyncio.timeout(seconds or self.patience):
                while not holds(found):
                    await asyncio.sleep(LOOK_SECONDS)
                    found = await self.lease(name)
        except TimeoutError as error:
            raise AssertionError(f"{name} stayed as it is: {found.status.to_wire()}") from error
        return found

    async def patch(self, plural: str, name: str, change: Body) -> None:
        """Change an object."""
        await self.client.patch(paths.of(plural, self.namespace, name), change)

    async def delete(self, plural: str, name: str) -> None:
        """Delete an object, whichever it is."""
        path = paths.of(plural, self.namespace, name)
        found = await self.client.get(path)
        await self.client.delete(path, uid=found["metadata"]["uid"])

    async def job(self, name: str = "j") -> Job:
        """A Job as it is now."""
        return Job.parse(await self.client.get(paths.of("jobs", self.namespace, name)))

    async def agent(self, name: str = "a") -> Agent:
        """An Agent as it is now."""
        return Agent.parse(await self.client.get(paths.of("agents", self.namespace, name)))

    async def pods(self) -> list[Body]:
        """The pods that are there."""
        return await self.all("pods")

    async def all(self, plural: str) -> list[Body]:
        """Every object of a kind."""
        found = await self.client.get(paths.collection(plural, self.namespace))
        items: list[Body] = found["items"]
        return items

    async def has_pod(self, name: str) -> None:
        """Make a pod that is nobody's; it passes Pod Security."""
        container = {
            "name": "agent",
            "image": "localhost/other",
            "resources": {"limits": {"cpu": "1", "memory": "1Mi"}},
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "runAsNonRoot": True,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
        }
        spec = {"containers": [container], "serviceAccountName": AGENT_SERVICE_ACCOUNT}
        path = paths.collection("pods", self.namespace)
        await self.client.create(path, {"metadata": {"name": name}, "spec": spec})

    async def until_gone(self, plural: str, seconds: float | None = None) -> None:
        """Wait until nothing of a kind is left."""
        async with asyncio.timeout(seconds or self.patience):
            while await self.all(plural):  # noqa: ASYNC110 - another process deletes it
                await asyncio.sleep(LOOK_SECONDS)

    async def until(
        self, holds: Callable[[Job], bool], name: str = "j", seconds: float | None = None
    ) -> Job:
        """Wait until something is true of a Job."""
        found = await self.job(name)
        try:
            async with asyncio.timeout(seconds or self.patience):
                while not holds(found):
                    await asyncio.sleep(LOOK_SECONDS)
                    found = await self.job(name)
        except TimeoutError as error:
            raise AssertionError(f"{name} stayed as it is: {found.status.to_wire()}") from error
        return found

    async def job_ends(self, name: str = "j", seconds: float | None = None) -> Job:
        """Wait for the end of a Job."""
        return await self.until(lambda job: job.status.phase in TERMINAL, name, seconds)

    async def job_runs(self, name: str = "j") -> Job:
        """Wait until a Job runs."""
        return await self.until(lambda job: job.status.phase == "Running", name)

    async def job_waits(self, condition: ConditionType, name: str = "j") -> Job:
        """Wait until a condition of the Job is false."""
        return await self.until(lambda job: _is_false(job, condition), name)

    async def agent_is(self, name: str, phase: str, seconds: float | None = None) -> Agent:
        """Wait for a phase of an Agent, as of its newest generation."""
        async with asyncio.timeout(seconds or self.patience):
            while True:
                found = await self.agent(name)
                is_seen = found.status.observed_generation == found.metadata.generation
                if is_seen and found.status.phase == phase:
                    return found
                await asyncio.sleep(LOOK_SECONDS)


def _is_false(job: Job, condition: ConditionType) -> bool:
    seen = find(job.status.conditions, condition)
    return seen is not None and seen.status == "False"


def reason(job: Job, condition: ConditionType) -> str:
    """The reason of a condition of a Job."""
    seen = find(job.status.conditions, condition)
    assert seen is not None
    return seen.reason


def phases(job: Job) -> list[str]:
    """The phases that a Job has gone through."""
    return [edge.phase.value for edge in job.status.transitions]


def outcomes(job: Job) -> list[str]:
    """How its attempts ended, with the reason."""
    return [f"{each.outcome}/{each.reason}" for each in job.status.attempts]


@dataclass(frozen=True)
class Ledger:
    """The records: what the agents wrote and what the operator wrote."""

    store: Store

    async def claim(self, pod: FakePod) -> Run:
        """What a pod's first call does."""
        account = pod.raw["spec"]["serviceAccountName"]
        caller = claims.Pod(pod.namespace, account, pod.name, pod.uid)
        job_uid, _, attempt = pod.environment["COXSWAIN_RUN"].partition("/")
        return await self.store.transact(claims.claim, RunKey(job_uid, int(attempt)), caller)

    async def post(self, pod: FakePod, **result: Any) -> None:
        """What a pod's last call does."""
        await self.store.transact(reports.post_result, pod.uid, RunResult(**result))

    async def judge(self, agent: Agent, reason: str = "Ready", message: str = "") -> None:
        """What the model gateway writes of the models: usable, or why not."""
        metadata = agent.metadata
        verdict = Verdict(
            metadata.uid,
            metadata.namespace,
            metadata.name,
            metadata.generation,
            ready=reason == "Ready",
            reason=reason,
            message=message,
        )
        await self.store.transact(verdicts.put, verdict)

    async def run(self, job: Job, attempt: int = 1) -> Run | None:
        """The row of an attempt."""
        return await self.store.run(runs.of, RunKey(job.metadata.uid, attempt))

    async def events(self, uid: str, actor: str = "operator") -> list[StoredEvent]:
        """What was recorded of an object, in the order of the log."""
        page = await self.store.run(events.after, 0, Filter(uid=uid))
        return [each for each in page.events if each.event.actor == actor]

    async def types(self, uid: str) -> list[str]:
        """The types of the operator's events about an object."""
        return [each.event.type for each in await self.events(uid)]

    async def until(self, uid: str, last: str, seconds: float = WAIT_SECONDS) -> list[str]:
        """Wait until the newest event of an object is of a type; return all types."""
        async with asyncio.timeout(seconds):
            while (types := await self.types(uid))[-1:] != [last]:  # noqa: ASYNC110 - the same
                await asyncio.sleep(LOOK_SECONDS)
        return types
