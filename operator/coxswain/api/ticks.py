"""Ticks of Schedules as records: what decisions may ask for and snapshots may hold. Pure."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, Self

from coxswain.api.schedule import Overlap
from coxswain.api.triggers import PollState, Trigger

Source = Literal["Time", "Event", "Webhook", "Poll", "Trigger", "Backfill"]
Outcome = Literal["Fired", "Skipped", "Missed"]
RequestKind = Literal["Trigger", "Backfill", "Continue"]

REFUSED = "refused"
"""Where the cause of a tick holds what the API server said when it refused the Job."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One tick, or a row of them that share their outcome.

    It is open until it has an outcome, which never changes. ``job_name`` without an outcome: its Job
    is being made. ``job_phase`` tells how its Job ended; until then the Job counts as running.
    """

    id: str
    """Unique in its Schedule, and part of its Job's name."""
    source: Source
    at: datetime
    """The tick, or the first of a row."""
    due_at: datetime
    """When it comes due: later than the tick by its jitter."""
    through: datetime
    """The last of a row; the tick itself where it is one."""
    count: int = 1
    overlap: Overlap | None = None
    """A policy of its own, of a backfill; None takes the Schedule's."""
    cause: dict[str, Any] = field(default_factory=dict)
    """What it came from beside the clock: the event, the delivery, or who asked and why; and what refused it."""
    outcome: Outcome | None = None
    reason: str = ""
    job_name: str | None = None
    job_uid: str | None = None
    job_phase: str | None = None
    reply: str | None = None
    """Of a heartbeat: Swallowed or Kept."""
    settled_at: datetime | None = None

    @property
    def is_counted(self) -> bool:
        """Whether it uses one of the Schedule's maxRuns: people's requests do not."""
        return self.source not in ("Trigger", "Backfill")

    @property
    def is_running(self) -> bool:
        """Whether its Job is made, or being made, and has not ended."""
        return self.job_name is not None and self.job_phase is None

    @property
    def refused(self) -> str:
        """What the API server said when it refused the Job last; empty where it never did."""
        return str(self.cause.get(REFUSED, ""))

    def settled(self, outcome: Outcome, reason: str, now: datetime) -> Self:
        """The same with its outcome."""
        return replace(self, outcome=outcome, reason=reason, settled_at=now)


@dataclass(frozen=True, slots=True)
class Counters:
    """How many ticks of a Schedule came to what, ever."""

    fired: int = 0
    counted: int = 0
    """Those of them that use one of maxRuns."""
    missed: int = 0
    skipped: int = 0
    buffered: int = 0
    """Ticks that had to wait for the end of a Job."""
    overrun: int = 0
    """Ticks that came due while a Job of a former one still ran."""


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """Where a Schedule is; one row per Schedule, which outlives it."""

    trigger: str
    """The trigger that ``through`` is about, as text."""
    through: datetime
    """Every tick of the trigger up to here has a row of its own, or is in one."""
    held: str = ""
    """Why no tick fires from then on: the word that ticks are skipped with. None while they do."""
    paused: bool = False
    """Whether a failure has paused it."""
    position: int | None = None
    """The last event that was looked at; None before the first look."""
    cooled_at: datetime | None = None
    """Events before this are ignored."""
    counters: Counters = Counters()


@dataclass(frozen=True, slots=True)
class ScheduleRequest:
    """What a person asked of a Schedule; ``id`` makes the same again harmless."""

    id: str
    kind: RequestKind
    by: str
    why: str = ""
    since: datetime | None = None
    until: datetime | None = None
    overlap: Overlap | None = None
    at: datetime | None = None
    """When it was asked, by the database's clock."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the records hold of a Schedule."""

    state: ScheduleState | None = None
    open: tuple[Tick, ...] = ()
    """Ticks without an outcome, and those whose Job has not ended, by the time they are due."""
    recent: tuple[Tick, ...] = ()
    """The last ones with an outcome, oldest first."""
    requests: tuple[ScheduleRequest, ...] = ()
    """What nobody has carried out yet, oldest first."""
    triggers: tuple[Trigger, ...] = ()
    """What came in from outside and nobody has handled, oldest first, a page of it."""
    poll: PollState | None = None
    """How the last look at its page went; None before the first, and where it looks at none."""


@dataclass(frozen=True, slots=True)
class TickChange:
    """What a pass adds to the records of a Schedule, all or nothing. The same again is harmless."""

    uid: str
    workspace: str
    name: str
    state: ScheduleState
    ticks: tuple[Tick, ...] = ()
    handled: tuple[str, ...] = ()
    """Ids of requests that were carried out by this."""
    triggers: tuple[str, ...] = ()
    """Ids of triggers from outside that have their ticks by this."""
