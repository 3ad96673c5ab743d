"""Which workspaces are read: all of the cluster's by one list per kind, or named ones, each by its own.

A named workspace whose lists are refused is lost. What memory knows of it may be wrong by then, and
what memory does not know may live: so nothing is concluded of it, no pass is made over it and no end
is recorded, until each of its lists has come. No other workspace takes notice.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import structlog

from coxswain.errors import CoxswainError
from coxswain.reconcile.cache import Raw
from coxswain.telemetry import few, pool_metrics
from coxswain.telemetry.few import Few

log = structlog.get_logger()

DOUBT_SECONDS = 10.0
"""A workspace is listed anew because of a doubt at most so often."""
UNREAD = frozenset({"everything"})


class Concerned(Protocol):
    """Who hears that a workspace is lost, and that it is back."""

    def lost(self, workspace: str) -> None:
        """Nothing may be concluded of it from now on."""

    def found(self, workspace: str) -> None:
        """Memory knows all of it again."""


class Reach:
    """Without ``workspaces`` the whole cluster is read, and no workspace is ever lost."""

    def __init__(
        self,
        workspaces: Sequence[str] | None = None,
        kinds: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.is_whole = workspaces is None
        """Whether the whole cluster is read."""
        self.places: tuple[str | None, ...] = (None,) if workspaces is None else tuple(workspaces)
        """Where to list: None is every namespace at once."""
        kinds = frozenset(kinds)
        self._missing = {each: set(kinds) for each in workspaces or ()}
        self._lost: set[str] = set()
        self._concerned: list[Concerned] = []
        self._doubters: dict[str, list[Callable[[], None]]] = {}
        self._doubted_at: dict[str, float] = {}
        self._labels = Few(few.MOST_WORKSPACES)
        self._clock = clock

    def sees(self, workspace: str) -> bool:
        """Whether memory knows all of a workspace, so that something may be concluded of it."""
        return self.is_whole or not self._missing.get(workspace, UNREAD)

    def seen(self) -> list[str] | None:
        """The workspaces that memory knows; None is all."""
        return None if self.is_whole else [each for each in self._missing if self.sees(each)]

    def only_seen(self, items: Iterable[Raw]) -> Iterator[Raw]:
        """Those of these objects of which something may be concluded."""
        return (raw for raw in items if self.sees(raw["metadata"]["namespace"]))

    def tell(self, concerned: Concerned) -> None:
        """Have somebody hear of losses and returns."""
        self._concerned.append(concerned)

    def listed(self, workspace: str, kind: str) -> None:
        """A list has come, and memory has taken it in."""
        missing = self._missing[workspace]
        missing.discard(kind)
        if missing or workspace not in self._lost:
            return
        self._lost.discard(workspace)
        self._show()
        log.info("workspace is back", workspace=workspace)
        for each in self._concerned:
            each.found(workspace)

    def refused(self, workspace: str, kind: str, error: CoxswainError) -> None:
        """A list was refused: the rights, or the namespace, are gone."""
        self._missing[workspace].add(kind)
        if workspace in self._lost:
            return
        self._lost.add(workspace)
        self._show()
        log.warning("workspace is lost", workspace=workspace, kind=kind, error=error.message)
        for each in self._concerned:
            each.lost(workspace)

    def on_doubt(self, workspace: str, list_anew: Callable[[], None]) -> None:
        """Have something done where a workspace is in doubt."""
        self._doubters.setdefault(workspace, []).append(list_anew)

    def doubt(self, workspace: str) -> None:
        """Something was refused there. A watch that runs goes on without rights, so list anew."""
        now = self._clock()
        if now - self._doubted_at.get(workspace, -DOUBT_SECONDS) < DOUBT_SECONDS:
            return
        self._doubted_at[workspace] = now
        for each in self._doubters.get(workspace, ()):
            each()

    def _show(self) -> None:
        pool_metrics.WORKSPACES_LOST.clear()
        for label, count in Counter(map(self._labels.label, sorted(self._lost))).items():
            pool_metrics.WORKSPACES_LOST.labels(label).set(count)
