"""What is measured, as people read it without Prometheus."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import Field

from coxswain.api.event_types.job import ENTERED, JOB_CREATED
from coxswain.api.job import JobPhase
from coxswain.api.meta import Model, Name
from coxswain.rules import alerting
from coxswain.rules.alerting import Alert
from coxswain.store.job_counts import Happened, Held
from coxswain.store.usage import Sums


class MetricsQuery(Model):
    """Of what, and over how long."""

    window_seconds: Annotated[int, Field(ge=60, le=86_400)] | None = None
    """Counters go back so long; none: as long as the alert on Jobs that fail."""
    workspace: Name | None = None
    """Only of this workspace."""


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

    @classmethod
    def of(cls, found: Happened, calls: Sums) -> "CountersView":
        """From the records."""
        return cls(
            jobs_created=found.of_type[JOB_CREATED.name],
            jobs_succeeded=found.of_type[ended(JobPhase.SUCCEEDED)],
            jobs_failed=found.of_type[ended(JobPhase.FAILED)],
            jobs_cancelled=found.of_type[ended(JobPhase.CANCELLED)],
            attempts=found.attempts,
            events=found.events,
            model_calls=calls.calls,
            model_calls_failed=calls.failed,
            input_tokens=calls.input_tokens,
            output_tokens=calls.output_tokens,
        )


class AlertView(Model):
    """An alert that is active."""

    name: alerting.Name
    """Which. In Prometheus they are CoxswainQueueStalled and CoxswainHighFailureRate."""
    value: float
    """What was found: seconds, or percent."""
    threshold: int
    """From where on it is an alert."""
    condition: str | None = None
    """What the Job waits for."""
    message: str
    """For people."""

    @classmethod
    def of(cls, found: Alert) -> "AlertView":
        """From the rule."""
        return cls(
            name=found.name,
            value=round(found.value, 3),
            threshold=found.threshold,
            condition=found.condition,
            message=found.message,
        )


class MetricsView(Model):
    """Jobs in numbers, over the workspaces that one may see, or one of them."""

    at: datetime
    """When it was counted, by the database's clock."""
    window_seconds: int
    """How far back the counters go."""
    jobs: Mapping[JobPhase, int]
    """Living Jobs by phase, each phase named."""
    held_back: list[HeldBackView]
    """What Queued Jobs wait for, what most wait for first."""
    counters: CountersView
    """What happened within the window."""
    alerts: list[AlertView]
    """Those that are active, of the same workspaces."""


def ended(phase: JobPhase) -> str:
    """The event of a Job that came to this phase."""
    return ENTERED[phase].name


def phases(found: Mapping[str, int]) -> dict[JobPhase, int]:
    """Each phase with its number."""
    return {phase: found.get(phase, 0) for phase in JobPhase}


def waits(found: Mapping[str, Held]) -> list[HeldBackView]:
    """What most wait for first."""
    views = [
        HeldBackView(
            condition=condition, jobs=held.jobs, oldest_seconds=round(held.oldest_seconds, 3)
        )
        for condition, held in found.items()
    ]
    return sorted(views, key=lambda each: (-each.jobs, each.condition))
