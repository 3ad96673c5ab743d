"""The whole of what happened in a run: every revision of every object, the event log, what agents did. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from typing_extensions import override

from coxswain import names
from coxswain.api.records import Run
from coxswain.store.events import StoredEvent
from tests.faults.proxy.seen import Exchange

Body = dict[str, Any]
ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Change:
    """An object as it was before a revision and after it; None where it was not there."""

    revision: int
    before: Body | None
    after: Body | None

    @property
    def newest(self) -> Body:
        """The object as it is, or as it was last."""
        found = self.after if self.after is not None else self.before
        assert found is not None
        return found

    @property
    def kind(self) -> str:
        """Its kind, with its group where it is neither ours nor the core's."""
        group = str(self.newest.get("apiVersion", "")).rpartition("/")[0]
        kind = str(self.newest.get("kind", ""))
        return kind if group in ("", names.GROUP) else f"{kind}.{group}"

    @property
    def uid(self) -> str:
        """Its uid."""
        return str(self.newest["metadata"].get("uid", ""))

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.newest["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.newest["metadata"].get("namespace", ""))


class World(NamedTuple):
    """The objects that there are at a revision, by uid, and the change that made it so."""

    revision: int
    change: Change
    objects: dict[str, Body]

    def of_kind(self, kind: str) -> Iterator[Body]:
        """The objects of a kind of ours, or of the core."""
        return (each for each in self.objects.values() if each.get("kind") == kind)


@dataclass(frozen=True)
class Effect:
    """A line of the ledger that no part of the platform can reach: an agent began to work."""

    job: str
    attempt: int
    pod: str
    """uid of its pod."""
    token: int


@dataclass(frozen=True)
class Heard:
    """A line of what the callers of the API wrote down, at so many seconds."""

    at: float
    call: str
    about: Body
    """What it was about: the key, the Job's uid, the attempt, what was sent."""
    answer: Body | None = None
    """What matters of the answer. None: it was asked for, and is done or not until a line has an answer."""

    @override
    def __str__(self) -> str:
        return f"{self.call} {self.about} " + ("?" if self.answer is None else f"-> {self.answer}")


@dataclass(frozen=True)
class Restart:
    """A process that had ended, with this code, and was started again."""

    at: float
    replica: str
    code: int

    @override
    def __str__(self) -> str:
        how = f"by signal {-self.code}" if self.code < 0 else f"with code {self.code}"
        return f"had ended {how}; starts again"


class Breach(NamedTuple):
    """An invariant that did not hold: at which revision (0: at the end), and what was so."""

    revision: int
    what: str


@dataclass(frozen=True)
class History:
    """What a run left behind. ``changes`` are those of its workspace and of the lease of election."""

    changes: tuple[Change, ...] = ()
    events: tuple[StoredEvent, ...] = ()
    effects: tuple[Effect, ...] = ()
    runs: tuple[Run, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    heard: tuple[Heard, ...] = ()
    quiet_from: float = float("inf")
    """From then on nothing should have been written, in seconds since the run began."""
    read_at: float = float("inf")
    """When it was read."""

    def worlds(self) -> Iterator[World]:
        """Every revision with the objects that there were. One dict is changed all along."""
        objects: dict[str, Body] = {}
        for change in self.changes:
            if change.after is None:
                objects.pop(change.uid, None)
            else:
                # A name that is taken anew between two revisions that we see leaves no former one.
                objects[change.uid] = change.after
            yield World(change.revision, change, objects)

    def of_kind(self, kind: str) -> Iterator[Change]:
        """The changes of objects of a kind."""
        return (each for each in self.changes if each.kind == kind)

    def answered(self, call: str) -> Iterator[tuple[Body, Body]]:
        """Of each such call of the API that was answered: what it was about, and the answer."""
        for each in self.heard:
            if each.call == call and each.answer is not None:
                yield each.about, each.answer

    @cached_property
    def last(self) -> dict[str, Body]:
        """Every object that there ever was, by uid, in its last form."""
        return {each.uid: each.newest for each in self.changes}

    @cached_property
    def left(self) -> dict[str, Body]:
        """The objects that there are at the end, by uid."""
        found: dict[str, Body] = {}
        for world in self.worlds():
            found = world.objects
        return dict(found)


def is_live(pod: Body) -> bool:
    """Whether a pod may still do something."""
    return (pod.get("status") or {}).get("phase") not in ENDED


def attempt_of(pod: Body) -> tuple[str, int] | None:
    """The Job's uid and the attempt that a pod runs; None for a pod that is none of ours."""
    metadata = pod["metadata"]
    attempt = (metadata.get("labels") or {}).get(names.LABEL_ATTEMPT)
    owners = [each for each in metadata.get("ownerReferences") or () if each.get("controller")]
    if attempt is None or not owners:
        return None
    return str(owners[0]["uid"]), int(attempt)
