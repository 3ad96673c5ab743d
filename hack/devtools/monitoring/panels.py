"""What a dashboard is made of. How it is drawn is nobody's business here."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["lines", "stack", "number"]
RATE = "[$__rate_interval]"


@dataclass(frozen=True)
class Query:
    """An expression, and what its lines are called. ``sparse``: where there is nothing, a zero is drawn."""

    expr: str
    legend: str = ""
    sparse: bool = False

    @property
    def whole(self) -> str:
        """The expression as it is sent."""
        return f"{self.expr} or on () vector(0)" if self.sparse else self.expr


@dataclass(frozen=True)
class Panel:
    """One picture. ``limits`` are values from which it is yellow, and red; a unit is one of Grafana's."""

    title: str
    means: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: Kind = "lines"
    limits: tuple[float, ...] = ()
    width: int = 8


@dataclass(frozen=True)
class Row:
    """Pictures under one heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Board:
    """One dashboard; ``slug`` is part of its address for good."""

    slug: str
    title: str
    means: str
    rows: tuple[Row, ...]

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All of its pictures."""
        return tuple(panel for row in self.rows for panel in row.panels)


def per_second(metric: str, by: str = "", chosen: str = "") -> str:
    """The rate of a counter, summed by labels."""
    return f"sum{_by(by)} (rate({metric}{{@{chosen}}}{RATE}))"


def per_minute(metric: str, by: str = "", chosen: str = "") -> str:
    """The same for what happens seldom."""
    return f"60 * {per_second(metric, by, chosen)}"


def quantile(share: float, metric: str, by: str = "", chosen: str = "") -> str:
    """A quantile of a histogram of seconds."""
    labels = ", ".join(each for each in ("le", by) if each)
    return f"histogram_quantile({share}, {per_second(f'{metric}_bucket', labels, chosen)})"


def spread(metric: str, by: str = "", *, sparse: bool = False) -> tuple[Query, Query]:
    """The middle and the slow end of a histogram."""
    label = f"{{{{{by}}}}} " if by else ""
    return (
        Query(quantile(0.5, metric, by), f"{label}p50", sparse),
        Query(quantile(0.99, metric, by), f"{label}p99", sparse),
    )


def _by(labels: str) -> str:
    return f" by ({labels})" if labels else ""
