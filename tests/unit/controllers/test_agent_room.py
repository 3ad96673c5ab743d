"""The Agent's room: whom a new status wakes, and what its events tell."""

import time
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from coxswain.api.agent import AgentStatus
from coxswain.reconcile import intake, key
from coxswain.reconcile.cache import Cache
from coxswain.reconcile.workqueue import WorkQueue
from coxswain.store.events import Event
from coxswain_controllers.agent.room import AgentRoom
from tests.support import builders, replay


async def test_a_new_status_of_an_agent_wakes_its_jobs_and_no_others() -> None:
    cache = Cache(intake.group_of)
    queue = WorkQueue(time.monotonic, Random(1))  # noqa: S311 - jitter
    world = cast("Any", SimpleNamespace(cache=cache, queue=queue))
    waits, other = builders.job("waits", "helm").raw, builders.job("other", "mate").raw
    for each in (waits, other):
        cache.put("Job", each)
    AgentRoom(world).written({}, builders.agent("helm").raw)
    assert len(queue) == 1
    assert await queue.take() == key.of("Job", waits)


@pytest.mark.parametrize("history", [["True"], ["False"], ["True", "False"], ["False", "True"], []])
def test_the_events_of_an_agent_tell_whether_it_is_ready_and_since_when(history: list[str]) -> None:
    room = AgentRoom(cast("Any", None))
    told: list[Event] = []
    builder = builders.agent("helm")
    for number, status in enumerate(history):
        at = f"2026-11-21T03:00:0{number}.123456Z"
        raw = builder.with_status(conditions=[ready(status, at, "First")]).raw
        # The reason changes while the status stays: no event tells of that.
        later = builder.with_status(conditions=[ready(status, at, "Second")]).raw
        told += [*room.events(raw), *room.events(raw), *room.events(later)]
        builder = builder.with_status(conditions=[ready(status, at, "Second")])
    found = replay.of_agent(_each_once(told))
    assert found == replay.told_of_agent(AgentStatus.model_validate(builder.raw.get("status", {})))
    assert (found is None) == (not history)
    if found is not None:
        assert found[0] == (history[-1] == "True")


def ready(status: str, at: str, reason: str) -> dict[str, Any]:
    return {"type": "Ready", "status": status, "lastTransitionTime": at, "reason": reason}


def _each_once(told: list[Event]) -> list[Event]:
    """As the log takes them: an id that is there already is no event."""
    return list({event.id: event for event in reversed(told)}.values())[::-1]
