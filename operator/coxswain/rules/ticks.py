"""When a Schedule fires by the clock: a cron line, an interval, an instant, a heartbeat. Pure.

A tick is an instant of the trigger. It comes due a little later where the Schedule asks for jitter.
"""

import hashlib
import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from pydantic import ValidationError

from coxswain.api import payload
from coxswain.api.schedule import TriggerSpec
from coxswain.errors import UserError
from coxswain.rules import cron, zones

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """So many ticks in a row, and whether more come before the end that was asked for."""

    count: int
    first: datetime
    last: datetime
    more: bool = False


@dataclass(frozen=True)
class Ticking:
    """The ticks of one trigger; none where it does not go by the clock."""

    later: Callable[[datetime], Iterator[datetime]]
    """The ticks after an instant, rising, each once."""
    every: timedelta | None = None
    """The time between two ticks, where it is always the same."""
    start: datetime | None = None
    end: datetime | None = None

    def after(self, at: datetime) -> Iterator[datetime]:
        """The ticks after an instant, rising, within start and end."""
        if self.start is not None and at < self.start:
            at = self.start - timedelta(microseconds=1)
        for tick in self.later(at):
            if self.end is not None and tick > self.end:
                return
            yield tick

    def span(self, after: datetime, until: datetime, most: int) -> Span | None:
        """The ticks after one instant and not after another; at most so many are gone through."""
        first = next(self.after(after), None)
        if first is None or first > until:
            return None
        if self.every is not None:
            last = until if self.end is None else min(until, self.end)
            steps = (last - first) // self.every
            return Span(steps + 1, first, first + steps * self.every)
        count, last = 0, first
        for tick in islice(self.after(after), most + 1):
            if tick > until:
                break
            if count == most:
                return Span(count, first, last, more=True)
            count, last = count + 1, tick
        return Span(count, first, last)


def of(spec: TriggerSpec) -> Ticking:
    """The ticks of a trigger. Raises UserError that names the field that cannot be read."""
    start, end = instant(spec.start_at), instant(spec.end_at)
    if spec.cron is not None:
        zone = zones.find(spec.time_zone, field="spec.timeZone")
        lines = [cron.read(each, field=f"spec.cron[{n}]") for n, each in enumerate(spec.cron)]
        return Ticking(
            lambda at: _merged([line.after(at, zone) for line in lines]), start=start, end=end
        )
    zones.find(spec.time_zone, field="spec.timeZone")
    if spec.interval is not None:
        every, phase = spec.interval.seconds, spec.interval.phase_seconds
        return _steady(timedelta(seconds=every), timedelta(seconds=phase), start, end)
    if spec.heartbeat is not None:
        return _steady(timedelta(seconds=spec.heartbeat.seconds), timedelta(), start, end)
    only = instant(spec.at)
    return Ticking(
        lambda at: iter([] if only is None or only <= at else [only]), start=start, end=end
    )


def is_out_of_range(at: datetime, spec: TriggerSpec) -> bool:
    """Whether what came from outside came before the Schedule's start or after its end."""
    start, end = instant(spec.start_at), instant(spec.end_at)
    return (start is not None and at < start) or (end is not None and at > end)


def identity(spec: TriggerSpec) -> str:
    """The trigger as text: the same text, the same ticks."""
    fields = set(TriggerSpec.model_fields)
    # Without defaults: a field that comes later, with its default, edits nothing.
    return payload.canonical(
        spec.model_dump(mode="json", by_alias=True, exclude_defaults=True, include=fields)
    )


def former(text: str) -> TriggerSpec | None:
    """The trigger that ``identity`` wrote down; None where this version cannot read it."""
    try:
        return TriggerSpec.model_validate_json(text)
    except ValidationError:
        return None


def former_ticks(text: str) -> Ticking | None:
    """Its ticks; None where nobody can tell them."""
    spec = former(text)
    try:
        return None if spec is None else of(spec)
    except UserError:
        return None


def due_at(uid: str, tick: datetime, jitter_seconds: int) -> datetime:
    """When a tick comes due: the same whoever asks, drawn from the Schedule and the tick."""
    seed = f"{uid}/{tick.isoformat()}".encode()
    drawn = int.from_bytes(hashlib.sha256(seed).digest()[:8]) / 2**64
    return tick + timedelta(milliseconds=int(jitter_seconds * 1000 * drawn))


def name(tick: datetime) -> str:
    """A tick in the name of its Job: digits only, in UTC."""
    fraction = f"{tick.microsecond:06}".rstrip("0")
    return tick.astimezone(UTC).strftime("%Y%m%d%H%M%S") + fraction


def instant(text: str | None) -> datetime | None:
    """An instant of a spec in UTC; None stays None."""
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def _steady(
    every: timedelta, phase: timedelta, start: datetime | None, end: datetime | None
) -> Ticking:
    def later(at: datetime) -> Iterator[datetime]:
        tick = EPOCH + phase + ((at - EPOCH - phase) // every + 1) * every
        while True:
            yield tick
            tick += every

    return Ticking(later, every, start, end)


def _merged(lines: list[Iterator[datetime]]) -> Iterator[datetime]:
    last = None
    for tick in heapq.merge(*lines):
        if tick != last:
            yield tick
        last = tick
