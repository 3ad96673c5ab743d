"""What benches count with: percentiles, the spread over runs, who is ahead, and the formula. Pure."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

T = TypeVar("T")
COLD_SHARE = 1 / 3
"""At first a process grows into its work: caches, connections, code."""
MS_PER_WRITE = 1.5
"""CPU of API server and etcd for one write, its way to two watchers included."""


@dataclass(frozen=True)
class Figure:
    """One line of a table: what is measured, in what unit, and which way is better.

    A figure that is neither better high nor low, such as the load, is compared with nothing.
    """

    name: str
    better: Literal["more", "less", ""] = ""
    digits: int = 2

    def ahead(self, ours: float, theirs: float) -> float | None:
        """How many times better ours is: above 1 is ahead. None where that says nothing."""
        if not self.better or min(ours, theirs) <= 0:
            return None
        return ours / theirs if self.better == "more" else theirs / ours


@dataclass(frozen=True)
class Spread:
    """The middle of some runs, and their ends."""

    median: float
    least: float
    most: float


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share (0 to 1] of all do not exceed.

    Raises ValueError where there are no values.
    """
    if not values or not 0 < share <= 1:
        raise ValueError(f"no percentile {share} of {len(values)} values")
    return sorted(values)[math.ceil(share * len(values)) - 1]


def spread(values: Sequence[float]) -> Spread:
    """Median, least and most of at least one value."""
    return Spread(statistics.median(values), min(values), max(values))


def spread_ahead(figure: Figure, ours: Sequence[float], theirs: Sequence[float]) -> Spread | None:
    """Who is ahead, pair by pair; None where it cannot be said of each pair."""
    pairs = [figure.ahead(mine, other) for mine, other in zip(ours, theirs, strict=True)]
    found = [each for each in pairs if each is not None]
    return spread(found) if found and len(found) == len(pairs) else None


def warm(looks: Sequence[T]) -> Sequence[T]:
    """What was seen without its first third, in which a process grows into its work."""
    return looks[int(len(looks) * COLD_SHARE) :]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """How much the second of each pair grows for one of the first, by least squares.

    Raises StatisticsError where there are fewer than two pairs, or the first is always the same.
    """
    return statistics.linear_regression(*zip(*points, strict=True)).slope


@dataclass(frozen=True)
class Costs:
    """What one Job costs: writes to the API server, and CPU in ms of everybody else."""

    writes: float
    controller_ms: float
    kubelet_ms: float
    driver_ms: float

    def jobs_per_second(self, cores: int = 2) -> float:
        """As many as fit into the cores when nothing waits for anything else."""
        others = self.controller_ms + self.kubelet_ms + self.driver_ms
        return 1000 * cores / (MS_PER_WRITE * self.writes + others)
