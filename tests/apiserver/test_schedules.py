"""Schedules against the real API server: ticks, Jobs, and who leads while they come."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from coxswain import names
from coxswain.api.kind import Schedule
from coxswain.api.ticks import Tick
from coxswain.kube import paths
from coxswain.store import ticks
from tests.support import builders
from tests.support.kubelet import Kubelet
from tests.support.leader import Operator
from tests.support.workspace import Ledger, Workspace

LOOK_SECONDS = 0.1


async def schedule(workspace: Workspace, name: str = "s") -> Schedule:
    return Schedule.parse(
        await workspace.client.get(paths.of("schedules", workspace.namespace, name))
    )


async def until(
    workspace: Workspace, holds: Callable[[Schedule], bool], name: str = "s", seconds: float = 30
) -> Schedule:
    found = await schedule(workspace, name)
    try:
        async with asyncio.timeout(seconds):
            while not holds(found):
                await asyncio.sleep(LOOK_SECONDS)
                found = await schedule(workspace, name)
    except TimeoutError as error:
        raise AssertionError(f"{name} stayed as it is: {found.status.to_wire()}") from error
    return found


async def has_schedule(workspace: Workspace, name: str = "s", **spec: Any) -> Schedule:
    made = builders.schedule(name, "a").every(1).with_spec(**spec)
    return Schedule.parse(await workspace.apply(made))


async def tick_rows(ledger: Ledger, uid: str) -> list[Tick]:
    return list(await ledger.store.run(ticks.page, uid, None, limit=1000))


async def test_each_second_makes_a_job_that_runs(
    operator: Operator, workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent()
    async with Kubelet(workspace.client, namespace=workspace.namespace):
        made = await has_schedule(workspace, successfulJobsHistoryLimit=2)
        await until(workspace, lambda found: found.status.fired >= 4)
        await workspace.patch("schedules", "s", {"spec": {"suspend": True}})
        await until(workspace, lambda found: found.status.phase == "Suspended")
        await until(workspace, lambda found: found.status.running == 0)
    rows = [row for row in await tick_rows(ledger, made.metadata.uid) if row.outcome == "Fired"]
    assert {row.job_phase for row in rows} == {"Succeeded"}
    types = Counter(await ledger.types(made.metadata.uid))
    assert types["schedule.fired"] == len(rows)
    left = await workspace.all("jobs")
    assert len(left) <= 3
    assert {each["metadata"]["labels"][names.LABEL_SCHEDULE] for each in left} == {"s"}


async def test_a_schedule_whose_agent_is_not_there_says_so_and_loses_nothing(
    operator: Operator, workspace: Workspace
) -> None:
    await has_schedule(workspace)
    found = await until(workspace, lambda found: found.status.fired == 1)
    ready = next(each for each in found.status.conditions if each.type == "Ready")
    assert (ready.status, ready.reason) == ("False", "AgentNotFound")
    await workspace.has_agent()
    async with Kubelet(workspace.client, namespace=workspace.namespace):
        await until(workspace, lambda found: found.status.fired >= 3)
    ready = next(
        each for each in (await schedule(workspace)).status.conditions if each.type == "Ready"
    )
    assert ready.status == "True"


@pytest.mark.parametrize(("policy", "has_time"), [("CancelOther", True), ("TerminateOther", False)])
async def test_a_newer_tick_ends_the_job_that_runs(
    operator: Operator, workspace: Workspace, policy: str, has_time: bool
) -> None:
    told: list[str] = []

    async def hangs(pod: Any) -> None:
        await pod.starts()
        # A pod that is deleted with no time at all is told nothing.
        await pod.stopping.wait()
        told.append(pod.name)

    await workspace.has_agent()
    async with Kubelet(workspace.client, hangs, namespace=workspace.namespace):
        await has_schedule(
            workspace, overlap=policy, interval={"seconds": 3}, failedJobsHistoryLimit=100
        )
        await until(workspace, lambda found: found.status.fired >= 3)
        await workspace.patch("schedules", "s", {"spec": {"suspend": True}})
    found = [each.get("status") or {} for each in await workspace.all("jobs")]
    ended = [each for each in found if each.get("phase") == "Cancelled"]
    assert len(ended) >= 2
    assert {each["transitions"][-1]["reason"] for each in ended} == {"Displaced"}
    assert bool(told) is has_time


async def test_a_failed_job_fires_a_schedule_that_listens_once(
    operator: Operator, workspace: Workspace, ledger: Ledger
) -> None:
    async def fails(pod: Any) -> None:
        await pod.starts()
        await pod.ends(exit_code=3 if pod.raw["metadata"]["labels"][names.LABEL_JOB] == "j" else 0)

    await workspace.has_agent()
    listens = builders.schedule("s", "a").with_trigger(onEvent={"type": "job.failed"})
    async with Kubelet(workspace.client, fails, namespace=workspace.namespace):
        made = Schedule.parse(await workspace.apply(listens))
        await until(workspace, lambda found: found.status.phase == "Active")
        await workspace.has_job("j")
        await until(workspace, lambda found: found.status.fired == 1 and found.status.running == 0)
    (row,) = await tick_rows(ledger, made.metadata.uid)
    assert (row.source, row.cause["job"]) == ("Event", "j")
    (job,) = [each for each in await workspace.all("jobs") if each["metadata"]["name"] != "j"]
    assert '"job":"j"' in job["metadata"]["annotations"][names.ANNOTATION_LINEAGE]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"cron": ["0 0 30 2 *"]}, "spec.cron[0]: '0 0 30 2 *'"),
        ({"cron": ["0 9 * * *"], "timeZone": "Mars/Base"}, "spec.timeZone: there is no time zone"),
    ],
)
async def test_a_trigger_that_cannot_be_followed_is_said_with_its_field(
    operator: Operator, workspace: Workspace, spec: Any, words: str
) -> None:
    wrong = builders.schedule("s", "a").with_trigger(**spec)
    await workspace.apply(wrong)
    found = await until(workspace, lambda found: found.status.phase == "Failed")
    assert words in found.status.conditions[0].message
