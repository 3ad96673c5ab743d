"""One pass of the product's own loop, stopped at each request and gone on with from its answers.

Observe, decide, act and report are the real ones. A pass that stands at a request is known by what it
began with and by the answers that it has had, so it can be left, killed, and gone on with in several
ways: it is made again from there.
"""

import types
from collections.abc import Callable, Generator, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeVar, cast

from typing_extensions import override

from coxswain.api.conditions import ConditionType, Seen
from coxswain.errors import FencedError
from coxswain.reconcile.act import Actor
from coxswain.reconcile.cache import Cache, Raw
from coxswain.reconcile.dependents import Dependents
from coxswain.reconcile.key import Key
from coxswain.reconcile.loop import Hands, Loop
from coxswain.reconcile.reach import Reach
from coxswain.reconcile.refusals import Refusals
from coxswain.reconcile.room import Room
from coxswain.settings import LimitSettings
from tests.support import snapshots

F = TypeVar("F")
LIMITS = LimitSettings()
AVAILABLE = Seen(ConditionType.RECORDS_AVAILABLE, "True", "Available")


class Ask(NamedTuple):
    """A request that a pass waits for. ``version``: what it names as its precondition, if anything."""

    verb: str
    name: str
    uid: str | None = None
    version: int | None = None
    body: Any = None


class Over(NamedTuple):
    """A pass has ended. What memory holds now; whether it wants another one; whether it must die."""

    memory: tuple[Hashable, ...]
    wants_more: bool
    is_fenced: bool


Stop = Ask | Over


@types.coroutine
def asking(ask: Ask) -> Generator[Ask, Any, Any]:
    """Wait for the answer to a request."""
    return (yield ask)


@dataclass
class PaperQueue:
    """Notes whether anybody wants another pass."""

    is_wanted: bool = False

    def add(self, _key: Key) -> None:
        """Now."""
        self.is_wanted = True

    def add_at(self, _key: Key, _at: float) -> None:
        """At a time, which comes."""
        self.is_wanted = True

    def settle(self, _key: Key, next_at: float | None) -> None:
        """The pass went well."""
        self.is_wanted = self.is_wanted or next_at is not None

    def retry(self, _key: Key, after_seconds: float | None = None) -> float:
        """After the key's own back-off."""
        self.is_wanted = True
        return after_seconds or 0.0

    def failures(self, _key: Key) -> int:
        """How often in a row it failed: never often enough to be shown."""
        return 0


@dataclass(frozen=True)
class Beginning:
    """What a pass is made with: the objects of one kind, how they look, who makes it."""

    key: Key
    room: Callable[[Any], Room[Any]]
    actor: Callable[..., Actor]
    wire: Callable[[], Any]
    """The client and the records in one: each method asks."""
    put: Callable[[Cache, Hashable], None]
    """Put a form of a state into memory as the object that it stands for."""
    form_of: Callable[[Raw], Hashable]
    """The form that such an object was made from."""
    meaning: Callable[[Hashable], Any]
    """What an answer is to the program: a value, or an exception to raise."""


class ReadingOnce(Cache):
    """Memory that reads each form once, though passes are made again and again."""

    def __init__(self, read_before: dict[Hashable, Any]) -> None:
        super().__init__()
        self._read_before = read_before

    @override
    def form(self, kind: str, uid: str, read: Callable[[Raw], F]) -> F | None:
        raw = self.get(kind, uid)
        if raw is None or "form" not in raw:
            return super().form(kind, uid, read)
        place = (read, type(raw["form"]), raw["form"])
        if place not in self._read_before:
            self._read_before[place] = read(raw)
        found: F = self._read_before[place]
        return found


@dataclass
class Passes:
    """Passes that were made, by what they began with and the answers so far."""

    beginning: Beginning
    known: dict[Hashable, Stop] = field(default_factory=dict)
    read: dict[Hashable, Any] = field(default_factory=dict)

    def stop(
        self, memory: tuple[Hashable, ...], answers: tuple[Hashable, ...], now: datetime
    ) -> Stop:
        """Where a pass stands that began with this memory and has had these answers."""
        place = (memory, answers, now)
        found = self.known.get(place)
        if found is None:
            found = self.known[place] = self._make(memory, answers, now)
        return found

    def _make(
        self, memory: tuple[Hashable, ...], answers: tuple[Hashable, ...], now: datetime
    ) -> Stop:
        begun, cache, queue = self.beginning, ReadingOnce(self.read), PaperQueue()
        for each in memory:
            begun.put(cache, each)
        made = self._loop(cache, queue, now).make_pass(begun.key)
        try:
            ask = made.send(None)
            for answer in answers:
                meant = begun.meaning(answer)
                ask = made.throw(meant) if isinstance(meant, Exception) else made.send(meant)
        except StopIteration:
            return Over(self._memory(cache), queue.is_wanted, is_fenced=False)
        except FencedError:
            return Over((), wants_more=False, is_fenced=True)
        made.close()
        return cast("Ask", ask)

    def _memory(self, cache: Cache) -> tuple[Hashable, ...]:
        kinds = (self.beginning.key.kind, "Pod")
        # A pod that a Lease's pass has looked at is nothing that the next one goes by.
        found = [raw for kind in kinds for raw in cache.all(kind) if "form" in raw]
        forms = [self.beginning.form_of(raw) for raw in found]
        return tuple(sorted(forms, key=repr))

    def _loop(self, cache: Cache, queue: PaperQueue, now: datetime) -> Loop:
        wire = self.beginning.wire()
        journal = SimpleNamespace(publish=lambda *_: None, holds=lambda *_: True)
        refusals = Refusals()
        world = SimpleNamespace(
            client=wire,
            cache=cache,
            records=wire,
            journal=journal,
            queue=queue,
            turns=SimpleNamespace(ask=lambda _: (), give_up=lambda _: None, park=lambda *_: None),
            workspaces=SimpleNamespace(condition=_sandbox_is_ready),
            runtimes=SimpleNamespace(present=_no_runtimes),
            job_types=None,
            platform=snapshots.PLATFORM,
            displaced=SimpleNamespace(of=lambda _: None),
            limits=LIMITS,
            descent=SimpleNamespace(begin=lambda _: None),
            dependents=Dependents(),
            refusals=refusals,
            agents_deleted={},
            is_compared=True,
        )
        actor = self.beginning.actor(wire, cache, wire, refusals, cast("Any", None))
        events = SimpleNamespace(post=lambda *_: None)
        hands = Hands(
            client=wire,
            cache=cache,
            journal=cast("Any", journal),
            actor=actor,
            events=cast("Any", events),
        )
        room = self.beginning.room(world)
        return Loop(
            {room.kind: room},
            cast("Any", queue),
            hands,
            lambda: now,
            lambda kind, raw: _gone(cache, kind, raw),
            reach=Reach(),
            on_unseen=queue.add,
        )


async def _sandbox_is_ready(_namespace: str) -> Seen:
    return Seen(ConditionType.SANDBOX_READY, "True", "Ready")


async def _no_runtimes(_names: object) -> frozenset[str]:
    return frozenset()


def _gone(cache: Cache, kind: str, raw: Raw) -> None:
    cache.remove(kind, raw)
