"""Service level objectives: what should hold for how many in a hundred, and alerts on how fast that is used up.

The alerts follow the multiwindow, multi-burn-rate form: a long window says that it matters, a short one
that it still goes on. Where little happens, one or two bad ones are no burn.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from devtools.monitoring.alerts import Alert, Severity

RATIO = "coxswain:slo_errors:ratio_rate"
DAYS = 30
CHANCE = 2


class Burn(NamedTuple):
    """How many times too fast the budget of 30 days is used up, over which two windows."""

    factor: float
    long: str
    short: str


FAST = (Burn(14.4, "1h", "5m"), Burn(6, "6h", "30m"))
SLOW = (Burn(3, "1d", "2h"), Burn(1, "3d", "6h"))
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")


@dataclass(frozen=True)
class Objective:
    """``bad`` of ``all`` may be so many that ``percent`` are good; WINDOW stands for the time looked at.

    One that ``can_wait`` makes no critical alert.
    """

    slo: str
    name: str
    percent: float
    bad: str
    all: str
    means: str
    can_wait: bool = False

    @property
    def budget(self) -> float:
        """The share that may be bad."""
        return round(1 - self.percent / 100, 6)

    def ratio(self, window: str) -> str:
        """The share that was bad; nothing bad at all is 0."""
        bad, every = (each.replace("WINDOW", window) for each in (self.bad, self.all))
        return f"({bad} or 0 * {every}) / {every}"

    def records(self) -> list[dict[str, Any]]:
        """The ratio over each window, kept so that alerts and dashboards cost little."""
        return [
            {
                "record": f"{RATIO}{window}",
                "expr": self.ratio(window),
                "labels": {"slo": self.slo},
            }
            for window in WINDOWS
        ]

    def alerts(self) -> tuple[Alert, ...]:
        """One that is critical, unless all of it can wait, and one that can wait until morning."""
        urgent = () if self.can_wait else (self._alert(FAST, "critical", "2m"),)
        return (*urgent, self._alert(SLOW, "warning", "15m"))

    def _alert(self, burns: tuple[Burn, ...], severity: Severity, lasts: str) -> Alert:
        return Alert(
            self.name,
            " or ".join(self._burns(each) for each in burns),
            lasts,
            severity,
            f"The error budget burns: {self.means}",
            f"{self.percent:g} percent in {DAYS} days is the objective; of late"
            " {{ $value | humanizePercentage }} were bad.",
        )

    def _burns(self, burn: Burn) -> str:
        bound = round(burn.factor * self.budget, 6)
        long, short = (
            f'{RATIO}{window}{{@, slo="{self.slo}"}} > {bound:g}'
            for window in (burn.long, burn.short)
        )
        every = self.all.replace("rate(", "increase(").replace("WINDOW", burn.long)
        return f"({long} and {short} and on (namespace) {every} >= {math.ceil(CHANCE / bound)})"


def _sum(selector: str) -> str:
    return f"sum by (namespace) (rate({selector}[WINDOW]))"


def _slower(histogram: str, seconds: float) -> str:
    """Those that took longer; ``seconds`` is a bound of one of its buckets."""
    within = f'{histogram}_bucket{{@, le="{seconds}"}}'
    return f"({_sum(histogram + '_count{@}')} - {_sum(within)})"


OBJECTIVES = (
    Objective(
        "api",
        "ApiErrorBudget",
        99.9,
        _sum('coxswain_http_request_seconds_count{@, server="sidecar", status="5xx"}'),
        _sum('coxswain_http_request_seconds_count{@, server="sidecar"}'),
        "requests to the API are answered.",
    ),
    Objective(
        "start",
        "StartErrorBudget",
        99,
        _slower("coxswain_attempt_start_seconds", 60.0),
        _sum("coxswain_attempt_start_seconds_count{@}"),
        "an attempt's pod runs within a minute.",
    ),
    Objective(
        "loop",
        "LoopErrorBudget",
        99,
        _slower("coxswain_reconcile_seconds", 1.0),
        _sum("coxswain_reconcile_seconds_count{@}"),
        "a pass takes a second at most.",
    ),
    Objective(
        "sweep",
        "SweepErrorBudget",
        99.9,
        _sum("coxswain_sweep_repairs_total{@}"),
        _sum("coxswain_reconcile_seconds_count{@}"),
        "what the operator knows is what there is, so that a sweep repairs nothing.",
        can_wait=True,
    ),
)
