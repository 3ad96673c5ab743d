"""Events on their way into the log. Pure, but for the id, which holds the time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from coxswain.client.event_ids import ids

BATCH = 500
"""So many events the API takes at once."""


@dataclass(frozen=True)
class NewEvent:
    """An event; it keeps its id, so that appending it again changes nothing."""

    type: str
    """What happened; begins with ``user.``."""
    workspace: str | None = None
    """Where."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """More."""
    kind: str | None = None
    """Sort of the object that it is about."""
    name: str | None = None
    """Name of that object."""
    uid: str | None = None
    """Id of that object."""
    event_version: int = 1
    """Your own version of this type."""
    id: UUID = field(default_factory=ids.next)
    """UUIDv7; greater than those of all events that this process made before."""

    def to_wire(self) -> dict[str, Any]:
        """As it is sent."""
        given = {**vars(self), "id": str(self.id), "details": dict(self.details)}
        given["eventVersion"] = given.pop("event_version")
        return {name: value for name, value in given.items() if value is not None}


def batches(events: Iterable[NewEvent]) -> Iterator[Sequence[NewEvent]]:
    """In order, as many at once as the API takes."""
    given = list(events)
    for start in range(0, len(given), BATCH):
        yield given[start : start + BATCH]
