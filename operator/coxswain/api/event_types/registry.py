"""All types of events in one table: what is not here is refused at every door and by the log."""

from typing import Any

from coxswain.api.event_type import EventType, FreeTypes, Writer
from coxswain.api.event_types import (
    agent,
    approval,
    callback,
    door,
    job,
    lease,
    run,
    schedule,
)

OF_USERS = FreeTypes("user.", "What people and their programs have to say.", Writer.USER)
OF_RUNS = FreeTypes("run.custom.", "What an agent program of one's own has to say.", Writer.RUN)
FREE = (OF_USERS, OF_RUNS)
_MODULES = (job, agent, lease, schedule, callback, approval, door, run)
TABLE: dict[tuple[str, int], EventType[Any]] = {
    (each.name, each.version): each for module in _MODULES for each in module.TYPES
}
VERSIONS: dict[str, tuple[int, ...]] = {
    name: tuple(sorted(version for other, version in TABLE if other == name)) for name, _ in TABLE
}
SECURITY = frozenset(each.name for each in TABLE.values() if each.is_security)
_PREFIXES = tuple(each.prefix for each in FREE)


def is_known(name: str) -> bool:
    """Whether there is such a type in any version, or somebody may name one so."""
    return name in VERSIONS or name.startswith(_PREFIXES)


def is_free(name: str, writer: Writer) -> bool:
    """Whether this writer may name a type so, with data of any form."""
    return any(name.startswith(each.prefix) for each in FREE if each.writer is writer)


def written_by(writer: Writer) -> tuple[str, ...]:
    """The types that this writer may tell, by name."""
    return tuple(sorted({each.name for each in TABLE.values() if each.writer is writer}))
