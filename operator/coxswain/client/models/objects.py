# Made by hack/generate from operator/coxswain/sidecar; do not edit.
"""Answers of the API: objects."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from coxswain.api.meta import Model
from coxswain.client.models.lineage import Lineage


class LinePlace(Model):
    """The place of a Job that waits for a slot, as things stand: it can change with every Job."""

    waits_for: str
    """Whose cap or quota is full; the place is among the Jobs that wait there."""
    ahead: int
    """How many of them would start before it if slots came one by one."""
    position: int
    """One more than that."""


class Resource(Model):
    """An object of ours."""

    id: str
    """Its uid."""
    kind: str
    """Job, Agent, Schedule or Lease."""
    workspace: str
    """Its namespace."""
    name: str
    """Its name."""
    status: str
    """Its phase."""
    created_at: datetime
    """When it was made."""
    generation: int
    """Counts changes of the spec."""
    version: str
    """Its resourceVersion. The ETag is this in quotes, and while it has a place in line that too."""
    spec: dict[str, Any]
    """What should be, as in the kind's schema."""
    details: dict[str, Any] = Field(default_factory=dict)
    """What is: the object's status, as in the kind's schema."""
    lineage: Lineage | None = None
    """The Job that this one was made from."""
    line: LinePlace | None = None
    """Its place, where a single Job is read that waits for a slot."""


class ResourceList(Model):
    """A page of objects, newest first."""

    items: list[Resource]
    next: str | None = None
    """Give it as ``cursor`` for the next page; none on the last one."""


class EventView(Model):
    """An event of the log. It only grows: pass over fields that you do not know."""

    schema_version: int = 1
    """Version of this form around ``details``."""
    position: int
    """Its place in the log."""
    id: UUID
    """Its id, which holds its time."""
    at: datetime
    """When it happened."""
    recorded_at: datetime
    """When it was written."""
    type: str
    """What happened."""
    event_version: int = 1
    """Version of the type, that is of the form of ``details``."""
    actor: str
    """Who did it: operator, egress, agent:WORKSPACE/NAME, user:NAME or key:NAME."""
    workspace: str = ""
    """Where."""
    kind: str = ""
    """Sort of the object that it is about."""
    name: str = ""
    """Name of that object."""
    uid: str | None = None
    """Id of that object."""
    attempt: int | None = None
    """Attempt of a Job."""
    seq: int | None = None
    """The attempt's own count."""
    details: dict[str, Any] = Field(default_factory=dict)
    """More."""


class ResyncView(Model):
    """The position asked for is not in the log any more: what you know may be incomplete."""

    oldest: int
    """First position that is kept."""
    head: int
    """Last position given out."""


class EventPage(Model):
    """Events after a position."""

    events: list[EventView]
    next: int
    """Give it as ``after`` to go on."""
    more: bool
    """Whether there is more already."""
    resync: ResyncView | None = None
    """Set where ``after`` was dropped; the events begin at the oldest that is kept."""


class Accepted(Model):
    """What a batch came to."""

    accepted: int
    """How many were new."""
    duplicates: int
    """How many stood already."""
    position: int
    """The log's last position now."""
