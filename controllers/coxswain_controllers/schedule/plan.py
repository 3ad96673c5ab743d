"""What a pass is about to change of a Schedule's ticks: the parts of the decision add to it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from coxswain.api.ticks import Outcome, ScheduleState, Tick
from coxswain.rules import ticks as rules
from coxswain_controllers.schedule.snapshot import JobSeen


@dataclass
class Plan:
    """The state and the open ticks as they will stand."""

    now: datetime
    state: ScheduleState
    open: dict[str, Tick]
    jobs: Mapping[str, JobSeen]
    changed: dict[str, Tick] = field(default_factory=dict)
    fresh: set[str] = field(default_factory=set)
    """Ids of ticks that no row stands for yet."""
    handled: list[str] = field(default_factory=list)
    triggers: list[str] = field(default_factory=list)
    """Ids of triggers from outside that have their ticks."""
    firing: list[Tick] = field(default_factory=list)
    """Ticks whose Job is to be made once their row stands."""
    wanted: int = 0
    """Ticks that would make a Job now if the pace of the installation allowed it."""
    more: bool = False
    """Whether there is more to do than one pass takes on."""

    def count(self, **by: int) -> None:
        """Add to counters."""
        was = self.state.counters
        added = {name: getattr(was, name) + more for name, more in by.items()}
        self.update(counters=replace(was, **added))

    def update(self, **fields: Any) -> None:
        """Change the state."""
        self.state = replace(self.state, **fields)

    def put(self, tick: Tick) -> None:
        """Change a tick."""
        self.open[tick.id] = self.changed[tick.id] = tick

    def arrive(self, tick: Tick) -> None:
        """Add a tick that is new."""
        self.fresh.add(tick.id)
        self.put(tick)

    def settle(self, tick: Tick, outcome: Outcome, reason: str) -> None:
        """Give a tick its outcome: it made no Job."""
        self.put(tick.settled(outcome, reason, self.now))
        self.count(**{outcome.lower(): tick.count})

    def settle_row(self, span: rules.Span, outcome: Outcome, reason: str) -> None:
        """Give many ticks in a row their outcome; they need one row."""
        tick = row_of(span.first, span.last, span.count)
        self.fresh.add(tick.id)
        self.settle(tick, outcome, reason)

    @property
    def running(self) -> list[Tick]:
        """Ticks whose Job has not ended."""
        return [tick for tick in self.open.values() if tick.is_running]

    @property
    def waiting(self) -> list[Tick]:
        """Ticks without a Job and without an outcome, by the time they are due."""
        return sorted(self._waiting(), key=lambda tick: (tick.due_at, tick.at, tick.id))

    @property
    def queued(self) -> int:
        """How many ticks wait, those of backfills aside."""
        return sum(each.source != "Backfill" for each in self._waiting())

    def _waiting(self) -> list[Tick]:
        return [t for t in self.open.values() if t.outcome is None and t.job_name is None]


def row_of(first: datetime, last: datetime, count: int) -> Tick:
    """The row of ticks of the clock."""
    name = rules.name(first)
    return Tick(
        id=name if count == 1 else f"{name}-{rules.name(last)}",
        source="Time",
        at=first,
        due_at=first,
        through=last,
        count=count,
    )


def in_rows(plan: Plan) -> tuple[Tick, ...]:
    """What changed, with new ticks of the clock that share their outcome put into one row each."""
    rows: list[Tick] = []
    for tick in sorted(plan.changed.values(), key=lambda each: (each.at, each.id)):
        last = rows[-1] if rows else None
        if last is not None and _share(plan.fresh, last, tick):
            rows[-1] = replace(
                row_of(last.at, tick.through, last.count + tick.count),
                outcome=tick.outcome,
                reason=tick.reason,
                settled_at=tick.settled_at,
            )
            plan.fresh.add(rows[-1].id)
        else:
            rows.append(tick)
    return tuple(rows)


def _share(fresh: Iterable[str], one: Tick, other: Tick) -> bool:
    return (
        {one.id, other.id} <= set(fresh)
        and one.source == other.source == "Time"
        and one.outcome == other.outcome != "Fired"
        and one.outcome is not None
        and one.reason == other.reason
    )
