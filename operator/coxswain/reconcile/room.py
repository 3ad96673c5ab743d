"""What a room offers to the loop; the loop knows nothing else of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from coxswain.errors import CoxswainError
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.decision import Decision, Snapshot
from coxswain.reconcile.key import Key
from coxswain.store.events import Event

S = TypeVar("S", bound=Snapshot)


class Room(Protocol, Generic[S]):
    """One kind: how it is seen, what is decided, how it is recorded."""

    kind: str
    plural: str

    def listed(self, items: Iterable[Raw]) -> None:
        """Take what the first list brought into memory, before the first pass."""

    async def observe(self, key: Key) -> S | None:
        """Collect one frozen snapshot; None where the object is gone and nothing is left to do."""

    def decide(self, snapshot: S, now: datetime) -> Decision:
        """Say what to do about it. Nothing may wait in here: places in line are kept meanwhile."""

    def failed(self, raw: Raw, error: CoxswainError, now: datetime) -> dict[str, Any] | None:
        """The status that says which operation keeps failing, or None to leave it."""

    def written(self, before: Raw, raw: Raw) -> None:
        """Wake whom a new status concerns, and count it: our own write comes back as nothing new.

        ``before`` is the object as it stood.
        """

    def events(self, raw: Raw, *, is_gone: bool = False) -> Sequence[Event]:
        """All events that the object stands for, with derived ids, oldest first."""
