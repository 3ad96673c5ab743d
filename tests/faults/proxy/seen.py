"""What the proxies saw: every request, every event of a watch, every commit, in order."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.faults.proxy.targets import Target

Body = dict[str, Any]


@dataclass
class Exchange:
    """A request and what became of it. ``status`` is that of the API server: None, it never came there."""

    at: float
    replica: str
    target: Target
    sent: Any = None
    status: int | None = None
    version: int | None = None
    """The resourceVersion of the object in the answer."""

    @property
    def is_done(self) -> bool:
        """Whether the API server has done it."""
        return self.status is not None and self.status < 300


@dataclass(frozen=True)
class Told:
    """An event of a watch, as it came from the API server."""

    at: float
    replica: str
    resource: str
    type: str
    object: Body

    @property
    def version(self) -> int:
        """The resourceVersion that it tells of."""
        return int(self.object["metadata"]["resourceVersion"])


@dataclass(frozen=True)
class Committed:
    """A transaction that changed rows, as its commit came."""

    at: float
    replica: str
    sql: str


@dataclass
class Trace:
    """Everything that was seen of one run; times are seconds since it began."""

    began: float = field(default_factory=time.monotonic)
    exchanges: list[Exchange] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    commits: list[Committed] = field(default_factory=list)

    def version_at(self, at: float) -> int | None:
        """The newest resourceVersion that had been seen by then; None before the first."""
        written = [each.version or 0 for each in self.exchanges if each.at <= at]
        told = [each.version for each in self.told if each.at <= at]
        return max([*written, *told], default=0) or None

    def now(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.began

    def within(self, begin: float, end: float) -> "Trace":
        """What was seen from one second of the run until another."""
        return Trace(
            self.began,
            [each for each in self.exchanges if begin <= each.at < end],
            [each for each in self.told if begin <= each.at < end],
            [each for each in self.commits if begin <= each.at < end],
        )

    def of(self, is_wanted: Callable[[str], bool]) -> "Trace":
        """What was seen of some of the replicas."""
        return Trace(
            self.began,
            [each for each in self.exchanges if is_wanted(each.replica)],
            [each for each in self.told if is_wanted(each.replica)],
            [each for each in self.commits if is_wanted(each.replica)],
        )

    def writes(self) -> list[Exchange]:
        """What changes something, in the order in which it was asked for."""
        return [each for each in self.exchanges if each.target.is_write]
