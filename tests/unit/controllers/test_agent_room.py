"""The Agent's room: whom a new status wakes."""

import time
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from coxswain.reconcile import intake, key
from coxswain.reconcile.cache import Cache
from coxswain.reconcile.workqueue import WorkQueue
from coxswain_controllers.agent.room import AgentRoom
from tests.support import builders


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
