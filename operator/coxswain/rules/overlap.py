"""What becomes of ticks that are due while Jobs of former ones still run. Pure.

Skip            the tick makes no Job
BufferOne       one tick waits for the end; those after it make none
BufferAll       ticks wait for the end, one after the other, up to bufferLimit; a backfill whole
CancelOther     the running Job is asked to end; the newest tick waits for that
TerminateOther  the same, and the running Job gets no time to end in order
AllowAll        nobody waits
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from coxswain.api.schedule import Overlap
from coxswain.api.ticks import Tick

DISPLACING = ("CancelOther", "TerminateOther")


class Reason(StrEnum):
    """Why a tick made no Job."""

    OVERLAP = "Overlap"
    BUFFER_FULL = "BufferFull"
    SUPERSEDED = "Superseded"
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    LIMIT_REACHED = "LimitReached"
    COOLDOWN = "Cooldown"
    OUT_OF_RANGE = "OutOfRange"
    CATCH_UP_WINDOW = "CatchUpWindow"
    EDITED = "Edited"
    REFUSED = "Refused"
    DELETED = "Deleted"
    SUSPENDED = "Suspended"
    PAUSED = "Paused"
    PAUSED_ON_FAILURE = "PausedOnFailure"
    SWITCHED_OFF = "SwitchedOff"


class Fate(StrEnum):
    """What is to be done with a tick that is due."""

    FIRE = "Fire"
    WAIT = "Wait"
    SKIP = "Skipped"
    MISS = "Missed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One tick and its fate."""

    tick: Tick
    fate: Fate
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """What a Schedule says of ticks that meet."""

    overlap: Overlap
    buffer_limit: int
    deadline: timedelta | None
    left: int | None
    """How many more of its ticks may fire; None bounds nothing."""


@dataclass
class _Line:
    """What was decided so far in this round."""

    running: int
    waiting: int = 0
    fired: int = 0


def resolve(due: Sequence[Tick], running: int, rule: Rule, now: datetime) -> list[Verdict]:
    """The fate of each of these ticks, which are due, in their order; ``running`` Jobs still run."""
    line = _Line(running)
    displacing = [n for n, tick in enumerate(due) if _policy(tick, rule) in DISPLACING]
    newest = displacing[-1] if displacing else -1
    return [_fate(tick, n < newest, rule, line, now) for n, tick in enumerate(due)]


def displaces(verdicts: Sequence[Verdict], rule: Rule) -> Overlap | None:
    """By which policy a waiting tick wants the running Jobs to end; None where none does."""
    waiting = [_policy(each.tick, rule) for each in verdicts if each.fate is Fate.WAIT]
    wanted = [each for each in waiting if each in DISPLACING]
    return wanted[-1] if wanted else None


def _fate(tick: Tick, is_older: bool, rule: Rule, line: _Line, now: datetime) -> Verdict:
    policy = _policy(tick, rule)
    if rule.deadline is not None and now > tick.due_at + rule.deadline:
        return Verdict(tick, Fate.MISS, Reason.DEADLINE_EXCEEDED)
    if rule.left is not None and tick.is_counted and line.fired >= rule.left:
        return Verdict(tick, Fate.SKIP, Reason.LIMIT_REACHED)
    if policy in DISPLACING and is_older:
        return Verdict(tick, Fate.SKIP, Reason.SUPERSEDED)
    if policy == "AllowAll" or line.running == 0:
        line.running += 1
        line.fired += tick.is_counted
        return Verdict(tick, Fate.FIRE)
    if policy in DISPLACING:
        return Verdict(tick, Fate.WAIT)
    if policy == "Skip":
        return Verdict(tick, Fate.SKIP, Reason.OVERLAP)
    if tick.source == "Backfill" and policy == "BufferAll":
        return Verdict(tick, Fate.WAIT)
    if line.waiting >= (1 if policy == "BufferOne" else rule.buffer_limit):
        return Verdict(tick, Fate.SKIP, Reason.BUFFER_FULL)
    line.waiting += 1
    return Verdict(tick, Fate.WAIT)


def _policy(tick: Tick, rule: Rule) -> Overlap:
    return tick.overlap or rule.overlap
