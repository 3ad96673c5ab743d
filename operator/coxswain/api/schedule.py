"""The kind Schedule: when Jobs are made from a template."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from coxswain.api.conditions import Condition
from coxswain.api.job import Instant, JobSpec
from coxswain.api.meta import QUALIFIED_NAME, WITHOUT_NUL, Model, Rule
from coxswain.api.sandbox import LabelValue
from coxswain.api.triggers import Poll, Webhook

Overlap = Literal["Skip", "BufferOne", "BufferAll", "CancelOther", "TerminateOther", "AllowAll"]

_RFC3339 = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]{1,6})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
# Four of five fields end in a space; what may stand in a field, the platform checks in full.
_CRON = r"^(@[a-z]+|([0-9A-Za-z*,/#-]+ +){4}[0-9A-Za-z*,/#-]+)$"
_EVENT_TYPE = r"^[a-z_]+(\.[a-z_]+)*\.?$"
_FIELD = r"^(actor|attempt|kind|name|type|details(\.[A-Za-z0-9_-]+)+)$"

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
"""Instants of people lie between: what is counted from one stays within what a clock can show."""
Moment = Annotated[str, StringConstraints(max_length=40, pattern=_RFC3339)]
CronLine = Annotated[str, StringConstraints(min_length=6, max_length=256, pattern=_CRON)]
Zone = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}$"
    ),
]
History = Annotated[int, Field(ge=0, le=100)]


class Interval(Model):
    """The same time between two ticks, whatever clocks and zones do."""

    RULES: ClassVar = (
        Rule(
            "self.phaseSeconds < self.seconds",
            "phaseSeconds is less than seconds",
            lambda self: self.phase_seconds < self.seconds,
        ),
    )

    seconds: Annotated[int, Field(ge=1, le=31_536_000)]
    """Time between two ticks. They fall on multiples of it, counted from 1970-01-01T00:00:00Z."""
    phase_seconds: Annotated[int, Field(ge=0, le=31_535_999)] = 0
    """So much later than on the multiples."""


class FieldIs(Model):
    """A field of an event that has to have a value."""

    path: Annotated[str, StringConstraints(max_length=128, pattern=_FIELD)]
    """actor, attempt, kind, name, type, or a place such as details.reason."""
    equals: Annotated[str, StringConstraints(max_length=256, pattern=WITHOUT_NUL)]
    """Its value as text."""


class OnEvent(Model):
    """Events of the workspace that fire; each counts once."""

    RULES: ClassVar = (
        Rule(
            "!self.type.startsWith('schedule')",
            "what Schedules do fires no Schedule",
            lambda self: not self.type.startswith("schedule"),
        ),
    )

    type: Annotated[str, StringConstraints(min_length=3, max_length=64, pattern=_EVENT_TYPE)]
    """A whole type such as job.failed, or with a dot at its end all that begin so."""
    fields: Annotated[list[FieldIs], Field(max_length=8)] = []
    """All of these have to hold."""
    cooldown_seconds: Annotated[int, Field(ge=0, le=604_800)] = 0
    """So long after an event that fired, others are skipped."""


class Heartbeat(Model):
    """Asks an Agent from time to time. An answer of HEARTBEAT_OK is swallowed, any other is kept."""

    seconds: Annotated[int, Field(ge=1, le=31_536_000)]
    """Time between two ticks, as of an interval."""


class JobTemplateSpec(JobSpec):
    """The spec of each Job, as of the kind Job. What belongs to one Job alone is left out."""

    RULES: ClassVar = (
        # A template may change; the Jobs that were made of it do not.
        *(rule for rule in JobSpec.RULES if "oldSelf" not in rule.expression),
        Rule(
            "!has(self.idempotencyKey) && !self.cancel",
            "idempotencyKey and cancel are for one Job, not for a template",
            lambda self: self.idempotency_key is None and not self.cancel,
        ),
    )


class TemplateMetadata(Model):
    """What the Jobs carry."""

    RULES: ClassVar = (
        Rule(
            "!has(self.labels) || self.labels.all(name,"
            " !format.qualifiedName().validate(name).hasValue())",
            "labels have names such as coxswain.dev/owner",
            lambda self: all(re.fullmatch(QUALIFIED_NAME, name) for name in self.labels),
        ),
    )

    labels: Annotated[dict[str, LabelValue], Field(max_length=32)] = {}
    """Labels of each Job, such as coxswain.dev/owner."""


class JobTemplate(Model):
    """What each Job is made of."""

    metadata: TemplateMetadata = TemplateMetadata()
    """What the Jobs carry beside the name of the Schedule."""
    spec: JobTemplateSpec
    """What should be done."""


_TRIGGERS = ("cron", "interval", "at", "onEvent", "webhook", "poll", "heartbeat")


def _moment(wire: str, field: str) -> Rule:
    return Rule(
        f"!has(self.{wire}) || (timestamp(self.{wire}) > timestamp('1970-01-01T00:00:00Z')"
        f" && timestamp(self.{wire}) < timestamp('3000-01-01T00:00:00Z'))",
        f"{wire} is an instant from 1970 to 2999, such as 2026-11-29T08:00:00+01:00",
        lambda self: _is_instant(getattr(self, field)),
    )


def _is_instant(text: str | None) -> bool:
    try:
        return text is None or EARLIEST < datetime.fromisoformat(text) < LATEST
    except ValueError:
        return False


def _begins_before_it_ends(spec: "TriggerSpec") -> bool:
    if spec.start_at is None or spec.end_at is None:
        return True
    return datetime.fromisoformat(spec.start_at) < datetime.fromisoformat(spec.end_at)


class TriggerSpec(Model):
    """Which ticks there are."""

    RULES: ClassVar = (
        Rule(
            f"[{', '.join(f'has(self.{each})' for each in _TRIGGERS)}].exists_one(given, given)",
            f"set exactly one of {', '.join(_TRIGGERS)}",
            lambda self: self.triggers.count(None) == len(_TRIGGERS) - 1,
        ),
        _moment("at", "at"),
        _moment("startAt", "start_at"),
        _moment("endAt", "end_at"),
        Rule(
            "!has(self.startAt) || !has(self.endAt) ||"
            " timestamp(self.startAt) < timestamp(self.endAt)",
            "startAt is before endAt",
            _begins_before_it_ends,
        ),
    )

    cron: Annotated[list[CronLine], Field(min_length=1, max_length=16)] | None = None
    """Lines of five fields (minute, hour, day of month, month, day of week), or @hourly, @daily,
    @weekly, @monthly, @yearly."""
    interval: Interval | None = None
    """Or the same time between two ticks."""
    at: Moment | None = None
    """Or once, at this instant (RFC 3339)."""
    on_event: OnEvent | None = None
    """Or whenever something happens in the workspace."""
    webhook: Webhook | None = None
    """Or whenever somebody outside sends a signed request."""
    poll: Poll | None = None
    """Or whenever a page that is looked at from time to time has changed."""
    heartbeat: Heartbeat | None = None
    """Or from time to time, to ask whether there is something to say."""
    time_zone: Zone = "UTC"
    """IANA zone that cron lines are meant in."""
    start_at: Moment | None = None
    """No tick before this instant."""
    end_at: Moment | None = None
    """No tick after this instant."""

    @property
    def triggers(self) -> list[object | None]:
        """All of them; one is set."""
        clock = self.cron, self.interval, self.at, self.heartbeat
        return [*clock, self.on_event, self.webhook, self.poll]


class ScheduleSpec(TriggerSpec):
    """When Jobs should be made, and which."""

    max_runs: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """So many ticks make a Job, then no more; none bounds nothing. What people trigger is not counted."""
    overlap: Overlap = "Skip"
    """What becomes of a tick while a Job of a former one runs: it is skipped; one, or all up to
    bufferLimit, wait for the end; the running Job is cancelled, or ended without time to end in
    order; or all run at the same time."""
    buffer_limit: Annotated[int, Field(ge=1, le=1000)] = 100
    """How many ticks wait with overlap BufferAll; those beyond are skipped."""
    catch_up_window_seconds: Annotated[int, Field(ge=10, le=31_536_000)] = 3600
    """Ticks of the clock that nobody saw, since the operator was away, fire late by so much at most;
    older ones are missed. Events and deliveries wait however long."""
    starting_deadline_seconds: Annotated[int, Field(ge=1, le=31_536_000)] | None = None
    """A tick that waits for longer than this is missed; none lets it wait."""
    jitter_seconds: Annotated[int, Field(ge=0, le=86_400)] = 0
    """Each tick comes due later by up to so much, drawn once for each tick."""
    pause_on_failure: bool = False
    """True holds the Schedule back once a Job of it has failed, until somebody continues it."""
    suspend: bool = False
    """True makes no Job; ticks meanwhile are skipped."""
    successful_jobs_history_limit: History = 3
    """How many Jobs that succeeded stay as objects; their records stay in any case."""
    failed_jobs_history_limit: History = 1
    """How many that failed or were cancelled stay."""
    job_template: JobTemplate
    """What each Job is made of."""


class SchedulePhase(StrEnum):
    """A summary of the conditions."""

    PENDING = "Pending"
    ACTIVE = "Active"
    SUSPENDED = "Suspended"
    COMPLETE = "Complete"
    FAILED = "Failed"


Count = Annotated[int, Field(ge=0)]


class TickOutcome(Model):
    """What came of a tick."""

    at: Instant
    """The tick, or the first of a row."""
    outcome: Literal["Fired", "Skipped", "Missed"]
    """Whether it made a Job."""
    reason: Annotated[str, StringConstraints(max_length=64)] | None = None
    """Why it made none, in one word."""
    count: Count = 1
    """How many ticks in a row this is about."""
    job: Annotated[str, StringConstraints(max_length=253)] | None = None
    """The Job."""


class ScheduleStatus(Model):
    """What is."""

    phase: SchedulePhase | None = None
    """A summary of the conditions."""
    observed_generation: Count = 0
    """The generation of the spec that this status is about."""
    conditions: Annotated[list[Condition], Field(max_length=16)] = []
    """Accepted, Suspended, RecordsAvailable, AgentReady, PageReached and Ready."""
    next_fire_times: Annotated[list[Instant], Field(max_length=10)] = []
    """When the next ticks come due, jitter included."""
    last_tick: Instant | None = None
    """The newest tick that has its outcome or waits."""
    last_outcomes: Annotated[list[TickOutcome], Field(max_length=10)] = []
    """What came of the last ticks, oldest first; the records hold all."""
    running: Count = 0
    """Jobs of it that have not ended."""
    waiting: Count = 0
    """Ticks that wait."""
    fired: Count = 0
    """Ticks that made a Job, ever."""
    missed: Count = 0
    """Ticks that came too late for one, ever."""
    skipped: Count = 0
    """Ticks that made none by its rules, ever."""
    buffered: Count = 0
    """Ticks that had to wait for the end of a Job, ever."""
    overrun: Count = 0
    """Ticks that came due while a Job of a former one ran, ever."""
