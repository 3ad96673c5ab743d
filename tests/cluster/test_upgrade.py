"""The platform is upgraded and rolled back under load: no work is lost, none is done twice, no stream is torn."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from coxswain import names
from coxswain.client import NewEvent
from coxswain.client.models import EventView
from devtools import release
from devtools.api_client import Api
from devtools.kubectl import Kubectl
from devtools.node import runtime, settings
from tests.support import installed, steady
from tests.support.onboarded import HELD, JOBS, Workspace
from tests.support.steady import OVER, TICK, Reader, Writer

pytestmark = pytest.mark.alone

ALL_SECONDS = 120.0
NAMES = ("long", "short", "failing", "between", "after")
RETRY = {"maxAttempts": 2, "backoffSeconds": 1}
Body = dict[str, Any]


@dataclass(frozen=True)
class Changed:
    """What there was to see: images after each step, what was written and read, how the Jobs ended."""

    images: list[set[str]]
    phases: list[str]
    """Of the Job that runs all the while: between the two steps, and after both."""
    writer: Writer
    reader: Reader
    log: list[EventView]
    jobs: dict[str, Body]
    pods: list[Body]


def _images(kubectl: Kubectl) -> set[str]:
    """Which image the two replicas of operator and API run with, once there are two."""
    words = ("get", "pods", "--selector", steady.DOOR)
    pods = kubectl.json("--namespace", release.NAMESPACE, *words)["items"]
    staying = [each for each in pods if "deletionTimestamp" not in each["metadata"]]
    assert len(staying) == 2
    found = [each for pod in staying for each in pod["spec"]["containers"]]
    assert sorted(each["name"] for each in found) == ["operator", "operator", "sidecar", "sidecar"]
    return {str(each["image"]) for each in found}


def _make_jobs(crew: Workspace) -> None:
    crew.agent("crew", quota={"concurrentJobs": 6})
    crew.command("long", "crew", "sh", "-c", f"{HELD}; echo done")
    crew.command("short", "crew", "sh", "-c", "sleep 12; echo done")
    # Its second attempt falls into the upgrade.
    crew.command("failing", "crew", "sh", "-c", "sleep 10; exit 3", retry=RETRY)
    for name in ("long", "short", "failing"):
        crew.running(name)


@pytest.fixture(scope="module")
def changed(proving: Workspace, kubectl: Kubectl, on_the_node: None) -> Changed:
    values = installed.values()
    ref = values["image"]["operator"]
    runtime.name(settings.current(), ref, f"{ref}-next")
    try:
        return _change(
            proving, kubectl, {**values, "image": {**values["image"], "operator": f"{ref}-next"}}
        )
    except BaseException:
        release.install(kubectl, values)
        raise


def _change(crew: Workspace, kubectl: Kubectl, next_version: Body) -> Changed:
    with steady.way_in(kubectl) as api:
        with api.client(steady.POLICY) as client:
            start = client.events.append([NewEvent("user.upgrade.begun", crew.name)]).position
        writer, reader = Writer(api, crew.name), Reader(api, crew.name, start)
        with reader, writer:
            _make_jobs(crew)
            release.install(kubectl, next_version)
            images = [_images(kubectl)]
            phase_between = crew.phase("long")
            crew.command("between", "crew", "sh", "-c", "sleep 5; echo done")
            release.roll_back(kubectl)
            images.append(_images(kubectl))
            # It ran from before the upgrade until after the rollback.
            phase_after = crew.phase("long")
            crew.let_go("long")
            crew.command("after", "crew", "sh", "-c", "echo done")
            for name in NAMES:
                crew.ended(name, ALL_SECONDS)
            # The last events of a Job follow its last status.
            crew.until(
                lambda: "" if _ends(_log(api, crew, start)) == len(NAMES) else "the last events"
            )
        log = _log(api, crew, start)
    jobs = {each["metadata"]["name"]: each["status"] for each in crew.objects(JOBS)}
    print(
        f"the longest append took {writer.longest_seconds:.1f} s; {len(reader.seen)} events were read"
    )
    return Changed(
        images,
        [phase_between, phase_after],
        writer,
        reader,
        log,
        jobs,
        crew.objects("pods", "--selector", names.LABEL_JOB),
    )


def _log(api: Api, crew: Workspace, start: int) -> list[EventView]:
    """What the log of the workspace holds behind a position."""
    with api.client(steady.POLICY) as client:
        found = client.events.list(after=start, workspace=crew.name)
        return [each for each in found if isinstance(each, EventView)]


def _ends(log: list[EventView]) -> int:
    return sum(1 for each in log if each.type in ("job.succeeded", "job.failed"))


def test_two_replicas_ran_with_the_other_image_and_then_with_the_first_again(
    changed: Changed,
) -> None:
    ref = installed.values()["image"]["operator"]
    assert changed.images == [{f"{ref}-next"}, {ref}]
    assert changed.phases == ["Running", "Running"]


def test_every_job_ended_as_it_should_with_one_pod_for_each_attempt(changed: Changed) -> None:
    outcomes = {
        name: [(each["outcome"], each["reason"]) for each in status["attempts"]]
        for name, status in changed.jobs.items()
    }
    well = [("Succeeded", "Completed")]
    failing = [("Failed", "ExitCode")] * 2
    assert outcomes == {**dict.fromkeys(NAMES, well), "failing": failing}
    told = [each["podUid"] for status in changed.jobs.values() for each in status["attempts"]]
    assert sorted(told) == sorted(each["metadata"]["uid"] for each in changed.pods)


def test_every_event_that_was_accepted_stands_once(changed: Changed) -> None:
    assert changed.writer.error is None
    ticks = Counter(each.details["number"] for each in changed.log if each.type == TICK)
    # All the while: how many that is depends on the machine.
    assert len(ticks) > 20
    assert ticks == Counter(changed.writer.accepted)


def test_the_stream_had_no_gap_and_no_repeat(changed: Changed) -> None:
    assert (changed.reader.error, changed.reader.marks) == (None, 0)
    last = next(at for at, each in enumerate(changed.log) if each.type == OVER)
    assert [each.position for each in changed.reader.seen] == [
        each.position for each in changed.log[: last + 1]
    ]


def test_every_edge_of_a_job_is_one_event(changed: Changed) -> None:
    counted = Counter(
        (each.name, each.type) for each in changed.log if each.type.startswith("job.")
    )
    ends = {name: "job.failed" if name == "failing" else "job.succeeded" for name in changed.jobs}
    assert {name: counted[name, end] for name, end in ends.items()} == dict.fromkeys(ends, 1)
    assert {name: counted[name, "job.running"] for name in ends} == {
        name: len(status["attempts"]) for name, status in changed.jobs.items()
    }
