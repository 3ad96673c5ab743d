"""The place of a Job that waits for a slot: computed when it is read, from the mirror, never stored."""

import asyncio
from collections.abc import Mapping

from coxswain.api.conditions import ConditionType
from coxswain.rules import fairness
from coxswain.rules.caps import Bound
from coxswain.sidecar.wire import LinePlace, Resource
from coxswain.store import places
from coxswain.store.places import Among, Line
from coxswain.store.pool import Store

BOUNDS = {f"{bound}Quota": bound for bound in Bound}


async def told(store: Store, weights: Mapping[str, int], job: Resource) -> Resource:
    """The Job with its place among those who wait for the same, if it waits for a slot."""
    bound = _waits_for(job)
    if bound is None:
        return job
    line = await store.run(places.read, _among(job, bound))
    # Beside the loop: a line may be long, and a stream should not wait for its order.
    ahead = await asyncio.to_thread(_ahead, line, weights, job.id)
    if ahead is None:
        return job
    place = LinePlace(waits_for=bound.value, ahead=ahead, position=ahead + 1)
    return job.model_copy(update={"line": place})


def _waits_for(job: Resource) -> Bound | None:
    """What is full, by the Job's own status."""
    for each in job.details.get("conditions", ()):
        if each["type"] == ConditionType.QUOTA_RESERVED and each["status"] == "False":
            return BOUNDS.get(each["reason"])
    return None


def _among(job: Resource, bound: Bound) -> Among:
    match bound:
        case Bound.AGENT:
            return Among(job.workspace, agent=job.spec["agentRef"]["name"])
        case Bound.QUEUE:
            return Among(queue=job.spec.get("queue"))
        case Bound.WORKSPACE:
            return Among(job.workspace)
        case Bound.INSTALLATION:
            return Among()


def _ahead(line: Line, weights: Mapping[str, int], uid: str) -> int | None:
    found = fairness.order(line.waiting, line.running, weights)
    return next((ahead for ahead, each in enumerate(found) if each.place.uid == uid), None)
