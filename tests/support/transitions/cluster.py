"""Objects of a workspace that are changed all at once, and what they come to when nobody writes any more."""

import asyncio
import re
import time
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from coxswain import names
from coxswain.api import manifest
from coxswain.errors import CoxswainError
from coxswain.kube import paths
from coxswain.kube.client import JSON_PATCH
from tests.support.apiserver import STRICT
from tests.support.workspace import LOOK_SECONDS, Workspace

Body = dict[str, Any]
T = TypeVar("T")
PLURALS = {kind.name: kind.plural for kind in manifest.KINDS}
AT_ONCE = 16
QUIET_SECONDS = 1.0
WAIT_SECONDS = 60.0
_TIMES = re.compile(r"(At|Time)$|^(at|lastTick)$")
_COUNTS = ("observedGeneration", "token")


@dataclass(frozen=True)
class Place:
    """One object."""

    kind: str
    name: str


@dataclass
class Crowd:
    """Many objects of one workspace."""

    workspace: Workspace
    places: set[Place] = field(default_factory=set)

    async def make(self, place: Place, spec: Body) -> None:
        """Make an object."""
        body = {"apiVersion": names.API_VERSION, "kind": place.kind, "spec": spec}
        path = paths.collection(PLURALS[place.kind], self.workspace.namespace)
        await self.workspace.client.create(
            path, {**body, "metadata": {"name": place.name}}, {"fieldValidation": "Strict"}
        )
        self.places.add(place)

    async def put(self, place: Place, spec: Body) -> None:
        """Give an object another spec, as a whole."""
        change = [{"op": "replace", "path": "/spec", "value": spec}]
        await self.workspace.client.patch(self._path(place), change, JSON_PATCH, STRICT)

    async def refusal(self, place: Place, spec: Body) -> str:
        """What the API server says against a spec; nothing where it takes it."""
        try:
            await self.put(place, spec)
        except CoxswainError as error:
            return error.message
        return ""

    async def all(self) -> dict[Place, Body]:
        """Every object as it stands."""
        lists = [
            (kind, await self.workspace.all(plural))
            for kind, plural in PLURALS.items()
            if any(place.kind == kind for place in self.places)
        ]
        return {Place(kind, raw["metadata"]["name"]): raw for kind, found in lists for raw in found}

    async def settles(self) -> dict[Place, Body]:
        """Wait until every status is about the newest spec and nobody has written for a while."""
        before: dict[Place, str] = {}
        since = begin = time.monotonic()
        while True:
            found = await self.all()
            now, versions = time.monotonic(), {each: _version(raw) for each, raw in found.items()}
            behind = [each for each in self.places if not _is_observed(found[each])]
            if behind or versions != before:
                moved = [each for each in versions if versions[each] != before.get(each)]
                assert now - begin < WAIT_SECONDS, f"behind: {behind[:5]}, moved: {moved[:5]}"
                since, before = now, versions
            elif now - since >= QUIET_SECONDS:
                return found
            await asyncio.sleep(LOOK_SECONDS)

    def _path(self, place: Place) -> str:
        return paths.of(PLURALS[place.kind], self.workspace.namespace, place.name)


async def at_once(tasks: Iterable[Awaitable[T]]) -> list[T]:
    """Do many things, so many at a time; what they return, in order."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(task: Awaitable[T]) -> T:
        async with room:
            return await task

    return await asyncio.gather(*(one(task) for task in tasks))


def state(raw: Body, *, with_ticks: bool = False) -> Any:
    """The status without times, counts of writes and names: what does not depend on who it is or when.

    The next ticks of a Schedule have a jitter that is its own, so two objects do not share them.
    """
    status = dict(raw["status"])
    if not with_ticks:
        status["nextFireTimes"] = len(status.get("nextFireTimes", ()))
    status["workspaceClaim"] = "workspaceClaim" in status
    return anonymous(status, raw["metadata"]["name"], raw["metadata"]["uid"])


def anonymous(value: Any, *own: str) -> Any:
    """A value in which names of its own, times and counts of writes do not show."""
    match value:
        case dict():
            kept = {key: each for key, each in value.items() if not _is_moment(key)}
            return {key: anonymous(each, *own) for key, each in kept.items()}
        case list():
            return [anonymous(each, *own) for each in value]
        case str():
            for word in own:
                value = value.replace(word, "ITS")
            return value
        case _:
            return value


def _is_moment(key: str) -> bool:
    return key in _COUNTS or _TIMES.search(key) is not None


def _version(raw: Body) -> str:
    return str(raw["metadata"]["resourceVersion"])


def _is_observed(raw: Body) -> bool:
    seen = raw.get("status", {}).get("observedGeneration", 0)
    return bool(seen == raw["metadata"]["generation"])
