"""What must hold after chaos, beside the invariants that are judged: each a generator of breaches. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from coxswain import names
from coxswain.client.models import TickView
from tests.faults import invariants
from tests.faults.chaos.reading import Log
from tests.faults.chaos.recording import Noted
from tests.faults.chaos.view import name_of, phase_of
from tests.faults.history import Breach, History
from tests.faults.invariants import tokens_grow

UNSEEN = (
    invariants.claims_that_began,
    invariants.quiet_at_the_end,
    invariants.writes_with_precondition,
)
"""They need the requests that a proxy saw, or the played agents' own ledger."""
INVARIANTS = tuple(each for each in invariants.MODULES if each not in UNSEEN)
ELECTION = tokens_grow.ELECTION
CLAIMED = "run.claimed"


@dataclass(frozen=True)
class Wanted:
    """What was asked for, and what the storm itself saw."""

    jobs: Sequence[str] = ()
    first: datetime | None = None
    last: datetime | None = None
    step: int = 1
    """Of the Schedule: its first and last moment, and the seconds between two ticks."""
    ticks: Sequence[TickView] = ()
    log: Log = field(default_factory=lambda: Log(0, 0, 0))
    began: int = 0
    noted: Sequence[Noted] = ()
    holes: Sequence[str] = ()
    quiet: tuple[float, float] = (0.0, 0.0)
    """From then to then nothing should have been written."""
    silent: Sequence[str] = ()
    """Acts after which the platform did not answer in time, and what was awaited."""


def no_job_is_lost(history: History, wanted: Wanted) -> Iterator[Breach]:
    """Every Job that was asked for was seen and has succeeded."""
    met = {name_of(raw): raw for raw in history.last.values() if raw.get("kind") == "Job"}
    for name in wanted.jobs:
        raw = met.get(name)
        if raw is None:
            yield Breach(0, f"Job {name} was never seen")
        elif phase_of(raw) != "Succeeded":
            attempts = (raw.get("status") or {}).get("attempts") or ()
            ends = ", ".join(f"{each.get('outcome')}/{each.get('reason')}" for each in attempts)
            yield Breach(0, f"Job {name} is {phase_of(raw) or 'new'} after {ends or 'no attempt'}")


def no_attempt_is_claimed_twice(history: History, wanted: Wanted) -> Iterator[Breach]:
    """The log tells of each attempt at most once that it was claimed, and by the pod that its row names."""
    claims = Counter(
        (str(each.event.uid), each.event.attempt)
        for each in history.events
        if each.event.type == CLAIMED and each.event.uid in history.last
    )
    for (uid, attempt), times in claims.items():
        if times > 1:
            yield Breach(0, f"attempt {attempt} of {uid} was claimed {times} times")
    pods = {each.uid for each in history.of_kind("Pod")}
    for run in history.runs:
        # Rows outlive their Jobs, so those of whoever worked here before the run are there, too.
        is_of_the_run = str(run.key.job_uid) in history.last
        if is_of_the_run and run.pod_uid is not None and run.pod_uid not in pods:
            yield Breach(0, f"attempt {run.key.attempt} of {run.job_name} is of an unknown pod")


def each_tick_has_one_outcome(history: History, wanted: Wanted) -> Iterator[Breach]:
    """Each moment of the interval stands in one row with an outcome; each that fired made one Job."""
    if wanted.first is None or wanted.last is None:
        return
    covered = Counter(at for row in wanted.ticks for at in _moments(row, wanted.step))
    expected = set(moments(wanted.first, wanted.last, wanted.step))
    for at in sorted(expected | covered.keys()):
        if at not in expected:
            yield Breach(0, f"a tick at {at.isoformat()}, which is none")
        elif covered[at] != 1:
            yield Breach(0, f"the tick at {at.isoformat()} stands in {covered[at]} rows")
    for row in wanted.ticks:
        if row.outcome is None:
            yield Breach(0, f"the tick at {row.at.isoformat()} has no outcome")
        if row.count != len(_moments(row, wanted.step)):
            yield Breach(0, f"the row at {row.at.isoformat()} stands for {row.count} ticks")
    yield from _jobs_of_ticks(history, wanted)


def _jobs_of_ticks(history: History, wanted: Wanted) -> Iterator[Breach]:
    fired = Counter(str(row.job) for row in wanted.ticks if row.outcome == "Fired")
    made: dict[str, set[str]] = defaultdict(set)
    for uid, raw in history.last.items():
        labels = raw["metadata"].get("labels") or {}
        if raw.get("kind") == "Job" and names.LABEL_SCHEDULE in labels:
            made[name_of(raw)].add(uid)
            if phase_of(raw) != "Succeeded":
                yield Breach(0, f"Job {name_of(raw)} of a tick is {phase_of(raw) or 'new'}")
    for name in sorted(fired.keys() | made.keys()):
        if (fired[name], len(made[name])) != (1, 1):
            yield Breach(
                0, f"Job {name}: {fired[name]} ticks fired it, {len(made[name])} were made"
            )


def the_log_has_no_gap(history: History, wanted: Wanted) -> Iterator[Breach]:
    """Positions count on from before the run without a hole, and so does each attempt's own count."""
    log = wanted.log
    if log.first != wanted.began + 1 or log.count != log.last - log.first + 1:
        yield Breach(
            0, f"after {wanted.began} come {log.count} positions from {log.first} to {log.last}"
        )
    counted: dict[tuple[str, int | None], list[int]] = defaultdict(list)
    for each in history.events:
        # What went before in the workspace may still be told of; its beginning is not in what was read.
        if each.event.seq is not None and each.event.uid in history.last:
            counted[str(each.event.uid), each.event.attempt].append(each.event.seq)
    for (uid, attempt), numbers in counted.items():
        if numbers != list(range(1, len(numbers) + 1)):
            yield Breach(0, f"attempt {attempt} of {uid} counts {numbers}")


def every_revision_was_seen(history: History, wanted: Wanted) -> Iterator[Breach]:
    """No watch had to begin anew from a list."""
    return (Breach(0, each) for each in wanted.holes)


def the_platform_answers_again(history: History, wanted: Wanted) -> Iterator[Breach]:
    """After each act, and at the end."""
    return (Breach(0, each) for each in wanted.silent)


def quiet_at_the_end(history: History, wanted: Wanted) -> Iterator[Breach]:
    """When all has come to its end nobody writes what is ours, and no pod comes or goes.

    The lease of election is renewed all the time, and the kubelet tells of ended pods when it likes.
    """
    begin, end = wanted.quiet
    for each in wanted.noted:
        change = each.change
        is_told = change.kind == "Pod" and None not in (change.before, change.after)
        if begin <= each.at < end and change.kind != ELECTION and not is_told:
            yield Breach(change.revision, f"{change.kind} {change.name} at {each.at:.1f} s")


CHECKS = (
    no_job_is_lost,
    no_attempt_is_claimed_twice,
    each_tick_has_one_outcome,
    the_log_has_no_gap,
    every_revision_was_seen,
    the_platform_answers_again,
    quiet_at_the_end,
)


def judged(history: History, wanted: Wanted) -> dict[str, list[Breach]]:
    """Every check by its name with what broke it, nothing where it held."""
    found = {_said(each.__name__): list(each.breaches(history)) for each in INVARIANTS}
    return found | {_said(each.__name__): list(each(history, wanted)) for each in CHECKS}


def moments(first: datetime, last: datetime, step: int) -> list[datetime]:
    """The multiples of so many seconds since 1970 from one instant to another, both included."""
    begin = -(-int(first.timestamp()) // step) * step
    end = int(last.timestamp())
    return [datetime.fromtimestamp(each, first.tzinfo) for each in range(begin, end + 1, step)]


def _moments(row: TickView, step: int) -> list[datetime]:
    count = int((row.through - row.at).total_seconds()) // step + 1
    return [row.at + timedelta(seconds=step * each) for each in range(count)]


def _said(name: str) -> str:
    return name.rpartition(".")[2].replace("_", " ")
