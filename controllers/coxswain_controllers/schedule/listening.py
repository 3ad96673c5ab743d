"""What happened in the workspace after the place in the log that a Schedule has come to."""

from coxswain.api import lineage
from coxswain.api.schedule import OnEvent
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.key import Key
from coxswain.reconcile.world import World
from coxswain.rules import event_filter
from coxswain.store.events import StoredEvent
from coxswain_controllers.schedule.snapshot import Happened, Heard

BY = "schedule"


async def hear(world: World, key: Key, wanted: OnEvent, position: int | None) -> Heard:
    """The events that it takes. A Schedule that never listened begins with what comes next."""
    if position is None:
        return Heard(position=await world.ticks.head())
    page = await world.ticks.events(position, key.namespace, wanted.type)
    taken = [each for each in page.events if event_filter.matches(wanted, each.event)]
    found = [Happened(each.position, each.at, await _cause(world, key, each)) for each in taken]
    return Heard(tuple(found), page.next, page.more)


async def _cause(world: World, key: Key, stored: StoredEvent) -> dict[str, str | int]:
    """The event in short, and where a Job of it comes from: Jobs that make each other have an end."""
    event = stored.event
    found: dict[str, str | int] = {"event": str(event.id), "type": event.type}
    if event.kind != "Job" or event.uid is None:
        return found
    raw = await _job(world, event.uid)
    standing = lineage.read((raw or {}).get("metadata", {}).get("annotations") or {})
    by = f"{BY}:{key.name}"
    descent = lineage.after("Child", event.name, event.uid, of=standing, by=by)
    return {**found, "job": event.name, "lineage": descent.model_dump_json()}


async def _job(world: World, uid: str) -> Raw | None:
    known = world.cache.get("Job", uid)
    if known is not None:
        return known
    row = await world.ticks.job_by_uid(uid)
    return None if row is None else row.body
