"""Events that Schedules may listen to."""

from datetime import datetime
from uuid import uuid4

from coxswain.store import events
from coxswain.store.events import Event
from coxswain.store.pool import Store


def ended(name: str, at: datetime, type_: str = "job.failed") -> Event:
    """What the log says of the end of a Job in workspace "team"."""
    uid = str(uuid4())
    return Event(
        id=events.derived_id(uid, 0, type_, at),
        type=type_,
        actor="operator",
        workspace="team",
        kind="Job",
        name=name,
        uid=uid,
    )


async def happens(store: Store, name: str, at: datetime, type_: str = "job.failed") -> None:
    """A Job has ended."""
    await store.transact(events.append, [ended(name, at, type_)])
