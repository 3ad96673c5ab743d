"""What is seen of a Job while things go on around the look."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from coxswain import names
from coxswain.api.conditions import ConditionType, Seen
from coxswain.errors import NotFoundError
from coxswain.reconcile import key
from coxswain.reconcile.cache import Cache, Raw
from coxswain.reconcile.dependents import Dependents
from coxswain_controllers.job import observe
from coxswain_controllers.job.snapshot import JobSnapshot
from tests.support import builders, snapshots, worlds
from tests.unit.controllers.test_job_leased import RUN, UID

JOB = builders.job("read").raw
POD = names.attempt_pod("read", UID, 1)
OWNER = {"apiVersion": names.API_VERSION, "kind": "Job", "name": "read", "uid": UID}
RAW = worlds.raw(
    "Pod",
    POD,
    metadata={"ownerReferences": [{**OWNER, "controller": True}]},
    status={"phase": "Pending"},
)
ATTEMPT = {"number": 1, "podName": POD, "token": 1}


class Outside:
    """The cluster has no pod any more, the records the row of an attempt that nobody has claimed."""

    async def get(self, path: str) -> Any:
        raise NotFoundError(path)

    async def run_state(self, _run: object) -> Any:
        return replace(RUN, pod_uid=None)

    def condition(self) -> Seen:
        return snapshots.condition(ConditionType.RECORDS_AVAILABLE, "True", "Available")


async def seen_while(happens: Callable[[Cache], object]) -> JobSnapshot | None:
    """Look at a Job whose pod starts, while something happens to it."""
    cache, outside = Cache(), Outside()
    cache.put("Job", JOB)
    cache.put("Pod", RAW)

    async def sandbox(_namespace: str) -> Seen:
        happens(cache)
        return snapshots.condition(ConditionType.SANDBOX_READY, "True", "Ready")

    async def runtimes(_names: object) -> frozenset[str]:
        return frozenset()

    world = SimpleNamespace(
        cache=cache,
        client=outside,
        records=outside,
        journal=SimpleNamespace(holds=lambda *_: True),
        workspaces=SimpleNamespace(condition=sandbox),
        runtimes=SimpleNamespace(present=runtimes),
        job_types=None,
        platform=snapshots.PLATFORM,
        displaced=SimpleNamespace(of=lambda _: None),
        dependents=Dependents(),
        refusals=SimpleNamespace(of=lambda *_: None),
        agents_deleted={},
        is_compared=False,
    )
    looking = cast("Any", world)
    found = await observe.observe(looking, key.of("Job", JOB))
    if found is None:
        # As the loop does, which has the key again while memory knows the object.
        return await observe.observe(looking, key.of("Job", JOB))
    return found


async def test_the_row_of_a_pod_that_starts_is_not_asked_for() -> None:
    seen = await seen_while(lambda _: None)
    assert seen is not None
    assert (seen.pod is not None, seen.run) == (True, None)


async def test_a_pod_that_vanishes_during_the_look_is_never_seen_without_its_row() -> None:
    seen = await seen_while(lambda cache: cache.remove("Pod", RAW))
    assert seen is not None
    assert (seen.pod, seen.run is not None) == (None, True)


async def test_a_pod_that_ends_during_the_look_is_never_seen_without_its_row() -> None:
    ended = {**RAW, "status": {"phase": "Failed"}}
    ended["metadata"] = {**RAW["metadata"], "resourceVersion": "2"}
    seen = await seen_while(lambda cache: cache.put("Pod", ended))
    assert seen is not None
    assert seen.pod is not None
    assert (seen.pod.end is not None, seen.run is not None) == (True, True)


async def test_it_is_seen_whether_what_went_away_meanwhile_is_known_yet() -> None:
    seen = await seen_while(lambda _: None)
    assert seen is not None
    assert not seen.is_compared


def changed(**status: Any) -> Raw:
    """The Job with this status, as it is written after the look has begun."""
    return {**JOB, "metadata": {**JOB["metadata"], "resourceVersion": "2"}, "status": status}


async def test_a_status_that_comes_during_the_look_is_the_one_that_is_seen() -> None:
    running = changed(phase="Running", attempt=1, attempts=[ATTEMPT])
    seen = await seen_while(lambda cache: cache.put("Job", running))
    assert seen is not None
    assert (seen.status.phase, seen.metadata.resource_version) == ("Running", "2")


async def test_an_attempt_that_ends_during_the_look_is_not_the_one_that_is_seen() -> None:
    lost = {**ATTEMPT, "outcome": "Lost"}
    seen = await seen_while(lambda cache: cache.put("Job", changed(attempt=1, attempts=[lost])))
    assert seen is not None
    assert (seen.number, seen.pod) == (2, None)


async def test_a_job_that_goes_during_the_look_is_not_seen_any_more() -> None:
    assert await seen_while(lambda cache: cache.remove("Job", JOB)) is None
