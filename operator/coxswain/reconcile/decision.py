"""What a pass decides: actions, the new status, notes for people, and when to look again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from coxswain.api.kind import Metadata
from coxswain.reconcile.actions import Action


@dataclass(frozen=True, slots=True)
class Note:
    """A Kubernetes Event to post once the status is written: only failures and long waits."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of ``decide``. A status of None leaves it as it is."""

    actions: tuple[Action, ...] = ()
    status: dict[str, Any] | None = None
    notes: tuple[Note, ...] = ()
    wake_at: datetime | None = None


class Snapshot(Protocol):
    """What a room saw; only the room reads more of it than this."""

    @property
    def metadata(self) -> Metadata:
        """Whom it is about, and in which version."""


NOTHING = Decision()
