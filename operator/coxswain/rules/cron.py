"""Cron lines: when they fire, in a time zone. Pure.

The rule for nights on which clocks change is cronsim's, which is Debian's: docs/schedules.md.

    minute and hour both named    the wall clock. In a gap: the first minute after it. Of an hour
                                  that comes twice: the first
    a * begins minute or hour     the time that passes. A minute fires whenever the clock shows it
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from coxswain.errors import UserError

NAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
FIELDS = ("minute", "hour", "day of month", "month", "day of week")
YEARS = 50
"""How far ahead is looked for the next time."""

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_START = datetime(2000, 1, 1)  # noqa: DTZ001 - the library only parses here


@dataclass(frozen=True)
class Line:
    """One line, read."""

    fields: CronSim
    hours: tuple[int, ...]
    minutes: tuple[int, ...]
    follows_the_wall: bool
    """Whether minute and hour are both named."""

    def after(self, at: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """Its instants later than this one, in UTC, rising, each once, for the next 50 years."""
        last = min(at.year + YEARS, date.max.year - 1)
        # A day that the zone skips fires at the beginning of the next one.
        day = at.astimezone(zone).date() - _DAY
        held: set[datetime] = set()
        while day.year <= last:
            if day.month not in self.fields.months:
                yield from sorted(held)
                held = set()
                day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
                continue
            is_due = self.fields.match_day(day)
            if is_due and not held and _is_even(day, zone):
                yield from self._of_even_day(day, zone, at)
            elif is_due:
                held.update(each for each in self._of_day(day, zone) if each > at)
            day += _DAY
            # Where clocks go back at midnight, minutes of the new day come before the last of the old.
            edge = _midnight(day, zone)
            ripe = sorted(each for each in held if each < edge)
            held.difference_update(ripe)
            yield from ripe
        yield from sorted(held)

    def _of_even_day(self, day: date, zone: ZoneInfo, at: datetime) -> Iterator[datetime]:
        midnight = _midnight(day, zone)
        for hour in self.hours:
            begins = midnight + timedelta(hours=hour)
            if begins + timedelta(hours=1) > at:
                instants = (begins + timedelta(minutes=minute) for minute in self.minutes)
                yield from (each for each in instants if each > at)

    def _of_day(self, day: date, zone: ZoneInfo) -> Iterator[datetime]:
        shown = self._on_the_wall if self.follows_the_wall else _whenever_shown
        for hour in self.hours:
            for minute in self.minutes:
                yield from shown(datetime.combine(day, time(hour, minute)), zone)

    @staticmethod
    def _on_the_wall(wanted: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        while True:
            instant = wanted.replace(tzinfo=zone).astimezone(UTC)
            if _wall(instant, zone) == wanted:
                yield instant
                return
            wanted += _MINUTE


def read(line: str, *, field: str) -> Line:
    """A line of five fields, or one of the names. Raises UserError that names the field."""
    words = NAMES.get(line.strip().lower(), line).split()
    try:
        parsed = _parse(words)
    except (CronSimError, AssertionError, ValueError) as error:
        wanted = f"give {', '.join(FIELDS[:-1])} and {FIELDS[-1]}, or a name such as @daily"
        raise UserError(f"{field}: '{line}': {error}; {wanted}", field=field) from error
    return Line(
        parsed,
        tuple(sorted(parsed.hours)),
        tuple(sorted(parsed.minutes)),
        follows_the_wall=not words[0].startswith("*") and not words[1].startswith("*"),
    )


def _parse(words: list[str]) -> CronSim:
    # The library also takes a sixth field, for seconds, which is not cron's.
    if len(words) != len(FIELDS):
        raise CronSimError(f"{len(words)} fields instead of {len(FIELDS)}")
    return CronSim(" ".join(words), _START)


def _whenever_shown(wanted: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    for fold in (0, 1):
        instant = wanted.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if _wall(instant, zone) == wanted:
            yield instant


def _is_even(day: date, zone: ZoneInfo) -> bool:
    """Whether every minute of the day is shown once, one after the other."""
    first, last = datetime.combine(day, time()), datetime.combine(day, time(23, 59))
    begins, ends = first.replace(tzinfo=zone), last.replace(tzinfo=zone)
    offsets = {each.replace(fold=fold).utcoffset() for each in (begins, ends) for fold in (0, 1)}
    return len(offsets) == 1


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def _wall(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)
