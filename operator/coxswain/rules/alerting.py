"""Alerts that can be judged from the records, as the chart's rules judge them from metrics. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from coxswain.api.conditions import ConditionType

STALLING = (
    ConditionType.QUOTA_RESERVED,
    ConditionType.POD_STARTED,
    ConditionType.RECORDS_AVAILABLE,
)
"""What a Job may wait for only so long; for everything else it waits by somebody's wish."""
Name = Literal["QUEUE_STALLED", "HIGH_FAILURE_RATE"]


@dataclass(frozen=True)
class Thresholds:
    """From where on there is an alert."""

    queue_stalled_seconds: int
    failure_rate_percent: int
    failure_rate_minimum: int
    window_seconds: int
    """Of the two before: over so long."""


@dataclass(frozen=True)
class Alert:
    """One that is active. ``value`` and ``threshold`` are seconds, or percent."""

    name: Name
    value: float
    threshold: int
    message: str
    condition: str | None = None
    """What the Job waits for."""


def active(
    waits: Mapping[str, float], succeeded: int, failed: int, given: Thresholds
) -> tuple[Alert, ...]:
    """Those that are active: by the longest wait in seconds for each condition, and by how Jobs ended."""
    return (*_stalled(waits, given), *_failing(succeeded, failed, given))


def _stalled(waits: Mapping[str, float], given: Thresholds) -> list[Alert]:
    most = given.queue_stalled_seconds
    return [
        Alert(
            "QUEUE_STALLED",
            waits[condition],
            most,
            f"a Job has waited for {condition} for {waits[condition]:.0f} s, longer than {most} s",
            condition.value,
        )
        for condition in STALLING
        if waits.get(condition, 0.0) > most
    ]


def _failing(succeeded: int, failed: int, given: Thresholds) -> list[Alert]:
    ended = succeeded + failed
    if ended < given.failure_rate_minimum or 100 * failed <= given.failure_rate_percent * ended:
        return []
    text = f"{failed} of the {ended} Jobs that ended within {given.window_seconds} s failed"
    return [Alert("HIGH_FAILURE_RATE", 100 * failed / ended, given.failure_rate_percent, text)]
