# Made by hack/generate from operator/coxswain/sidecar; do not edit.
"""Answers of the API: metric."""

from collections.abc import Mapping
from datetime import datetime

from coxswain.api.meta import Model


class HeldBackView(Model):
    """What Jobs wait for that have not begun."""

    condition: str
    """The condition that is not met."""
    jobs: int
    """How many wait for it."""
    oldest_seconds: float
    """How long it has held back the one that it holds back longest."""


class CountersView(Model):
    """What happened within the window."""

    jobs_created: int
    """Jobs that were made."""
    jobs_succeeded: int
    """Jobs that ended well."""
    jobs_failed: int
    """Jobs that failed."""
    jobs_cancelled: int
    """Jobs that were cancelled."""
    attempts: Mapping[str, int]
    """Attempts that ended, by outcome: Succeeded, Failed, Cancelled or Lost."""
    events: int
    """Events in the log."""
    model_calls: int
    """Calls to models."""
    model_calls_failed: int
    """Those of them that failed."""
    input_tokens: int
    """What models were given."""
    output_tokens: int
    """What they answered."""


class AlertView(Model):
    """An alert that is active."""

    name: str
    """Which. In Prometheus they are CoxswainQueueStalled and CoxswainHighFailureRate."""
    value: float
    """What was found: seconds, or percent."""
    threshold: int
    """From where on it is an alert."""
    condition: str | None = None
    """What the Job waits for."""
    message: str
    """For people."""


class MetricsView(Model):
    """Jobs in numbers, over the workspaces that one may see, or one of them."""

    at: datetime
    """When it was counted, by the database's clock."""
    window_seconds: int
    """How far back the counters go."""
    jobs: Mapping[str, int]
    """Living Jobs by phase, each phase named."""
    held_back: list[HeldBackView]
    """What Queued Jobs wait for, what most wait for first."""
    counters: CountersView
    """What happened within the window."""
    alerts: list[AlertView]
    """Those that are active, of the same workspaces."""
