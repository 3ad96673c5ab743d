"""Caps over Agents, queues, workspaces and the installation, and who is next where Jobs wait."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from coxswain import names
from coxswain.api.conditions import ConditionType, find
from coxswain.kube.client import Client
from tests.support import apiserver, leader
from tests.support.kubelet import Kubelet
from tests.support.leader import OPERATOR, Installation, Operator
from tests.support.pods import FakePod
from tests.support.postgres import Database
from tests.support.workspace import Workspace, outcomes, reason

pytestmark = pytest.mark.usefixtures("operator")
INSTALLATION, PER_WORKSPACE, NIGHTLY = 4, 3, 1
BACKLOG = 300


@pytest.fixture(scope="module")
def operator(
    installation: Installation,
    module_database: Database,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Operator]:
    """An operator of an installation with caps."""
    folder = tmp_path_factory.mktemp("operator")
    settings: dict[str, Any] = {
        "lease_seconds": 15,
        "concurrent_jobs": INSTALLATION,
        "concurrent_jobs_per_workspace": PER_WORKSPACE,
        "concurrent_jobs_by_queue": json.dumps({"nightly": NIGHTLY}),
    }
    with installation.operator(module_database, folder, **settings) as started:
        yield started
        assert started.terminate() == 0


@pytest_asyncio.fixture
async def others(client: Client, installation: Installation) -> AsyncIterator[list[Workspace]]:
    """Two more workspaces."""
    async with AsyncExitStack() as stack:
        found = []
        for _ in range(2):
            name = await apiserver.onboard(client, apiserver.a_name())
            await stack.enter_async_context(leader.onboarded(client, installation, name))
            found.append(Workspace(client, name))
        yield found


@dataclass
class Floor:
    """All pods that run: they end when they are let go."""

    workspaces: list[Workspace]
    running: dict[str, FakePod] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)
    peaks: Counter[str] = field(default_factory=Counter)
    seconds: float | None = None
    """After how long they end by themselves."""

    async def script(self, pod: FakePod) -> None:
        """Run until let go, told to end, or for some time; what another test has left ends."""
        if pod.namespace not in [each.namespace for each in self.workspaces]:
            await pod.ends()
            return
        await pod.starts()
        job = pod.raw["metadata"]["labels"][names.LABEL_JOB]
        self.running[job] = pod
        self.started.append(job)
        self._count()
        if self.seconds is None:
            await pod.stopping.wait()
        else:
            await asyncio.sleep(self.seconds)
        del self.running[job]
        await pod.ends()

    def let_go(self, job: str) -> None:
        """End one."""
        self.running[job].stopping.set()

    def of_the_fullest(self) -> str:
        """A Job of the workspace that has the most that run."""
        of_each = Counter(pod.namespace for pod in self.running.values())
        fullest = of_each.most_common(1)[0][0]
        return next(job for job, pod in self.running.items() if pod.namespace == fullest)

    async def until(self, count: int) -> None:
        """Wait until so many have started in all."""
        async with asyncio.timeout(30):
            while len(self.started) < count:  # noqa: ASYNC110 - the operator makes them
                await asyncio.sleep(0.02)

    def _count(self) -> None:
        held: Counter[str] = Counter({"installation": len(self.running)})
        for pod in self.running.values():
            held[f"workspace {pod.namespace}"] += 1
            held[f"queue {pod.raw['metadata']['labels'][names.LABEL_QUEUE]}"] += 1
        self.peaks |= held


async def test_no_cap_is_exceeded_and_each_is_used_by_jobs_of_several_workspaces(
    workspace: Workspace, others: list[Workspace]
) -> None:
    floor = Floor([workspace, *others])
    everywhere = [workspace, *others]
    async with Kubelet(workspace.client, floor.script) as kubelet:
        for each in everywhere:
            await each.has_agent(quota={"concurrentJobs": 50}, queues=["default", "nightly"])
        await asyncio.gather(
            *(
                each.has_job(
                    f"{each.namespace}-{number}", queue="nightly" if number % 4 == 0 else "default"
                )
                for each in everywhere
                for number in range(12)
            )
        )
        await floor.until(INSTALLATION)
        floor.seconds = 0.05
        for job in list(floor.running):
            floor.let_go(job)
        ended = [
            await each.job_ends(f"{each.namespace}-{number}", seconds=60)
            for each in everywhere
            for number in range(12)
        ]
    assert kubelet.faults == []
    assert {each for job in ended for each in outcomes(job)} == {"Succeeded/Completed"}
    peaks = dict(floor.peaks)
    assert peaks.pop("installation") == INSTALLATION
    assert peaks.pop("queue nightly") == NIGHTLY
    assert peaks.pop("queue default") <= INSTALLATION
    assert set(peaks) == {f"workspace {each.namespace}" for each in everywhere}
    assert max(peaks.values()) <= PER_WORKSPACE


async def test_each_cap_is_named_by_the_job_that_waits_for_it_and_the_status_is_written_once(
    workspace: Workspace, others: list[Workspace], installation: Installation
) -> None:
    floor = Floor([workspace, *others])
    other = others[0]
    async with Kubelet(workspace.client, floor.script):
        await workspace.has_agent(quota={"concurrentJobs": 2}, queues=["default", "nightly"])
        await other.has_agent(quota={"concurrentJobs": 9}, queues=["default", "nightly"])
        await workspace.has_agent("b", quota={"concurrentJobs": 9})
        for name in ("one", "two"):
            await workspace.has_job(name, queue="nightly" if name == "two" else "default")
        await floor.until(2)
        await workspace.has_job("by-agent")
        by_agent = await workspace.job_waits(ConditionType.QUOTA_RESERVED, "by-agent")
        await other.has_job("by-queue", queue="nightly")
        by_queue = await other.job_waits(ConditionType.QUOTA_RESERVED, "by-queue")
        await workspace.has_job("three", "b")
        await floor.until(3)
        await workspace.has_job("by-workspace", "b")
        by_workspace = await workspace.job_waits(ConditionType.QUOTA_RESERVED, "by-workspace")
        await other.has_job("four")
        await floor.until(4)
        await other.has_job("by-all")
        by_all = await other.job_waits(ConditionType.QUOTA_RESERVED, "by-all")
        said = [by_agent, by_queue, by_workspace, by_all]
        kind = ConditionType.QUOTA_RESERVED
        assert [reason(job, kind) for job in said] == [
            "AgentQuota",
            "QueueQuota",
            "WorkspaceQuota",
            "InstallationQuota",
        ]
        texts = [found.message for job in said if (found := find(job.status.conditions, kind))]
        assert "at most 2 at once (spec.quota.concurrentJobs)" in texts[0]
        assert texts[1].startswith("queue nightly is full, at most 1 at once")
        assert texts[3].startswith("the installation is full, at most 4 at once")
        for each in (workspace, other):
            calls = installation.audit.calls(OPERATOR, each.namespace)
            writes = Counter(
                call.name for call in calls if call.verb == "patch" and call.name.startswith("by-")
            )
            assert set(writes.values()) == {1}, writes


async def test_a_job_of_a_queue_that_its_agent_does_not_take_waits_until_it_does(
    workspace: Workspace,
) -> None:
    floor = Floor([workspace], seconds=0)
    async with Kubelet(workspace.client, floor.script):
        await workspace.has_agent(queues=["default"])
        await workspace.has_job("foreign", queue="reports")
        waiting = await workspace.job_waits(ConditionType.AGENT_READY, "foreign")
        why = find(waiting.status.conditions, ConditionType.AGENT_READY)
        assert why is not None
        assert why.reason == "QueueNotTaken"
        assert "takes Jobs of default, not of queue reports" in why.message
        await workspace.has_job("own")
        await workspace.job_ends("own")
        assert floor.started == ["own"]
        await workspace.has_agent(queues=["default", "reports"])
        await workspace.job_ends("foreign")


async def test_a_priority_that_is_raised_while_the_job_waits_overtakes(
    workspace: Workspace,
) -> None:
    floor = Floor([workspace])
    async with Kubelet(workspace.client, floor.script):
        await workspace.has_agent(quota={"concurrentJobs": 1})
        await workspace.has_job("runs")
        await floor.until(1)
        for name in ("older", "younger"):
            await workspace.has_job(name)
            await workspace.job_waits(ConditionType.QUOTA_RESERVED, name)
        await workspace.patch("jobs", "younger", {"spec": {"priority": 5}})
        await workspace.until(
            lambda job: job.status.observed_generation == job.metadata.generation, "younger"
        )
        floor.let_go("runs")
        await floor.until(2)
    assert floor.started == ["runs", "younger"]


async def test_a_backlog_of_one_workspace_delays_anothers_single_job_by_one_turn(
    workspace: Workspace, others: list[Workspace]
) -> None:
    floor = Floor([workspace, *others])
    quiet = others[0]
    async with Kubelet(workspace.client, floor.script):
        await quiet.has_agent()
        for crowded in (workspace, others[1]):
            await crowded.has_agent(quota={"concurrentJobs": 50})
        for begin in range(0, BACKLOG, 50):
            await asyncio.gather(
                *(
                    crowded.has_job(f"{crowded.namespace}-{number}", priority=1000)
                    for number in range(begin, begin + 25)
                    for crowded in (workspace, others[1])
                )
            )
        await floor.until(INSTALLATION)
        await quiet.has_job("single")
        waiting = await quiet.job_waits(ConditionType.QUOTA_RESERVED, "single")
        assert reason(waiting, ConditionType.QUOTA_RESERVED) == "InstallationQuota"
        assert "single" not in floor.started
        # Of a workspace that still runs one then: it may have no turn before who runs nothing.
        floor.let_go(floor.of_the_fullest())
        await floor.until(INSTALLATION + 1)
    assert floor.started[-1] == "single"
