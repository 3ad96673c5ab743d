"""Which events a reader wants: asked of Postgres by ``events.after``, and of what is in memory here.

Both must say the same of every event; a test compares them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coxswain.store.events import StoredEvent


@dataclass(frozen=True)
class Filter:
    """Which events to read.

    ``type`` is a whole type, or with a dot at its end the beginning of types; several have commas between
    them. An event is of an ``agent`` that it is about, that did it, or whose Job it is about.
    """

    type: str | None = None
    workspace: str | None = None
    uid: str | None = None
    attempt: int | None = None
    workspaces: frozenset[str] | None = None
    """Those that may be told of; None: all, and what belongs to none."""
    agent: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether every event passes."""
        return self == Filter()

    @property
    def types(self) -> Sequence[str] | None:
        """The types and beginnings of types, one by one; None: all."""
        return None if self.type is None else self.type.split(",")

    def passes(self, stored: "StoredEvent") -> bool:
        """Whether a reader of this filter gets the event."""
        event = stored.event
        return (
            self._has_type(event.type)
            and self.workspace in {None, event.workspace}
            and (self.workspaces is None or event.workspace in self.workspaces)
            and self.uid in {None, event.uid}
            and self.attempt in {None, event.attempt}
            and self.agent in {None, stored.agent}
        )

    def _has_type(self, kind: str) -> bool:
        types = self.types
        return types is None or any(
            kind == each or (each.endswith(".") and kind.startswith(each)) for each in types
        )
