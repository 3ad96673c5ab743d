"""Every revision of every object of a workspace, and of the lease of election, as watches tell of them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from coxswain import names
from coxswain.kube import paths, watch
from coxswain.kube.client import Client
from devtools import release
from tests.faults.chaos.view import View
from tests.faults.history import Body, Change

ELECTION = "coxswain-operator"
KINDS = {
    "Agent": ("agents", names.API_VERSION),
    "Job": ("jobs", names.API_VERSION),
    "Schedule": ("schedules", names.API_VERSION),
    "Lease": ("leases", names.API_VERSION),
    "Pod": ("pods", "v1"),
}
STREAMS = len(KINDS) + 1


@dataclass(frozen=True)
class Noted:
    """A change, and when it was heard of, in seconds since the record began."""

    at: float
    change: Change


@dataclass
class Record:
    """What was heard. ``clock`` gives seconds."""

    clock: Callable[[], float]
    view: View = field(default_factory=View)
    noted: list[Noted] = field(default_factory=list)
    holes: list[str] = field(default_factory=list)
    """Where a watch had to begin anew from a list: revisions in between were not seen."""
    _known: dict[str, Body] = field(default_factory=dict)
    _listed: set[str] = field(default_factory=set)

    def listed(self, kind: str, version: str, items: Sequence[Body], revision: int) -> None:
        """All that a kind has. It is for the beginning; later it is a hole."""
        what = f"{kind} of {version}"
        if what in self._listed:
            self.holes.append(f"{what}: listed anew at revision {revision}, {self.clock():.1f} s")
        self._listed.add(what)
        for each in items:
            self.changed(kind, version, watch.Change("ADDED", each))

    def changed(self, kind: str, version: str, change: watch.Change) -> None:
        """One more revision."""
        raw = {**change.raw, "kind": kind, "apiVersion": version}
        metadata = {key: text for key, text in raw["metadata"].items() if key != "managedFields"}
        raw["metadata"] = metadata
        uid = str(metadata["uid"])
        before = self._known.pop(uid, None)
        is_gone = change.type == "DELETED"
        if not is_gone:
            self._known[uid] = raw
        self.view.put(uid, None if is_gone else raw)
        revision = int(metadata["resourceVersion"])
        after = None if is_gone else raw
        # What was never seen to be there has been as it was last.
        seen = Change(revision, raw if is_gone and before is None else before, after)
        self.noted.append(Noted(self.clock(), seen))

    def changes(self) -> tuple[Change, ...]:
        """All of them in the order in which they came about, which watches of different kinds do not keep."""
        return tuple(sorted((each.change for each in self.noted), key=lambda each: each.revision))


@asynccontextmanager
async def recording(client: Client, workspace: str, record: Record) -> AsyncIterator[None]:
    """Follow for the length of a block. A watch that cannot go on is a hole."""
    watched = [
        (kind, version, paths.collection(plural, workspace))
        for kind, (plural, version) in KINDS.items()
    ]
    home = paths.coordination_leases(release.NAMESPACE)
    election = _ElectionOnly(record)
    streams = [_stream(client, path, record, kind, version) for kind, version, path in watched]
    streams.append(_stream(client, home, election, "Lease", "coordination.k8s.io/v1"))
    for each in streams:
        await each.list()
    tasks = [asyncio.create_task(each.run()) for each in streams]
    try:
        yield
    finally:
        for task in tasks:
            if task.done():
                record.holes.append(f"a watch has ended: {task.exception()!r}")
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Hearer(Protocol):
    """Who is told of a kind and its version: of a list at a revision, and of a change."""

    def listed(self, kind: str, version: str, items: Sequence[Body], revision: int, /) -> None: ...

    def changed(self, kind: str, version: str, change: watch.Change, /) -> None: ...


class _ElectionOnly:
    """Of the coordination leases that one alone by which leaders are elected."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def listed(self, kind: str, version: str, items: Sequence[Body], revision: int) -> None:
        chosen = [each for each in items if each["metadata"]["name"] == ELECTION]
        self._record.listed(kind, version, chosen, revision)

    def changed(self, kind: str, version: str, change: watch.Change) -> None:
        if change.raw["metadata"]["name"] == ELECTION:
            self._record.changed(kind, version, change)


def _stream(client: Client, path: str, hearer: _Hearer, kind: str, version: str) -> watch.Stream:
    hears = watch.Hears(
        listed=partial(hearer.listed, kind, version), changed=partial(hearer.changed, kind, version)
    )
    return watch.Stream(client, path, None, hears)
