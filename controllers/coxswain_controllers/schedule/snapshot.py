"""What one pass saw of a Schedule."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from coxswain.api.conditions import Seen
from coxswain.api.kind import Metadata
from coxswain.api.schedule import ScheduleStatus
from coxswain.api.ticks import Standing
from coxswain.errors import UserError
from coxswain.reconcile.key import Key
from coxswain_controllers.schedule.form import Readable


@dataclass(frozen=True, slots=True)
class JobSeen:
    """A Job of a tick, as it is or as the records knew it last."""

    key: Key
    phase: str
    is_gone: bool = False
    ended_at: datetime | None = None
    resource_version: str = ""
    is_recorded: bool = False
    """Whether the records hold it as it is, so that the object may go."""
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """An event that the Schedule takes: its place in the log, its time, and what is to be told of it."""

    position: int
    at: datetime
    cause: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """What the log holds after the place that the Schedule had come to; after an edit by the former filter."""

    events: tuple[Happened, ...] = ()
    position: int | None = None
    """Where to go on; None where it does not listen."""
    more: bool = False


@dataclass(frozen=True, slots=True)
class ScheduleSnapshot:
    """Everything about one Schedule at one moment."""

    key: Key
    metadata: Metadata
    readable: Readable | UserError
    status: ScheduleStatus
    template: Mapping[str, Any]
    """The jobTemplate as stored."""
    standing: Standing | None
    """None while the records are away."""
    records: Seen
    """The condition RecordsAvailable."""
    agent: Seen
    """The condition AgentReady: whether there is an Agent of that name."""
    jobs: Mapping[str, JobSeen] = field(default_factory=dict)
    """The Jobs of its open ticks and those that are there, by name."""
    heard: Heard = Heard()
    is_enabled: bool = True
    """Whether the installation lets Schedules make Jobs."""
    slots: int = 1_000_000
    """How many Jobs it may make in this pass."""
