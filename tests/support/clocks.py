"""When a cron line fires, found without the platform's code: minute by minute, by the clock on the wall.

It shares nothing with ``coxswain.rules.cron`` but the zone: fields are read here, and nothing is
skipped or guessed.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
Fields = tuple[frozenset[int], ...]
BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))


def fires(line: str, zone: ZoneInfo, begin: datetime, end: datetime) -> list[datetime]:
    """The instants of a line from one whole minute to another, both included, in UTC."""
    minute, hour = line.split()[:2]
    follows = not minute.startswith("*") and not hour.startswith("*")
    found = _when_passed if follows else _when_shown
    # Whoever looks at a wall clock has to know what it showed before.
    early = begin - timedelta(days=2)
    return [at for at in found(line, zone, early, end) if at >= begin]


def changes(zone: ZoneInfo, first_year: int, last_year: int) -> list[datetime]:
    """The instants, to the minute, at which the zone's distance from UTC changes."""
    step = timedelta(hours=12)
    at, stop = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year + 1, 1, 1, tzinfo=UTC)
    found = []
    while at < stop:
        if _offset(at, zone) != _offset(at + step, zone):
            found.append(_exact(at, at + step, zone))
        at += step
    return found


def _exact(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    before = _offset(low, zone)
    while high - low > MINUTE:
        middle = low + (high - low) // 2
        middle = middle.replace(second=0, microsecond=0)
        if middle <= low:
            break
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    return high


def _when_shown(line: str, zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[datetime]:
    fields = _read(line)
    for at, wall in _minutes(zone, begin, end):
        if _fits(line, fields, wall):
            yield at


def _when_passed(line: str, zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Each wall time once: when the clock first shows it, or has jumped over it."""
    fields, furthest = _read(line), _wall(begin, zone) - MINUTE
    for at, wall in _minutes(zone, begin, end):
        is_due = False
        while furthest < wall:
            furthest += MINUTE
            is_due = is_due or _fits(line, fields, furthest)
        if is_due:
            yield at


# One night is looked at for many lines.
@lru_cache(maxsize=1)
def _minutes(
    zone: ZoneInfo, begin: datetime, end: datetime
) -> tuple[tuple[datetime, datetime], ...]:
    """Every minute, and what the clock on the wall shows then."""
    count = (end - begin) // MINUTE + 1
    return tuple((at, _wall(at, zone)) for at in (begin + n * MINUTE for n in range(count)))


def _read(line: str) -> Fields:
    return tuple(
        frozenset(_values(text, *bounds)) for text, bounds in zip(line.split(), BOUNDS, strict=True)
    )


def _values(text: str, low: int, high: int) -> Iterator[int]:
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            begin, end = low, high
        else:
            begin = int(first)
            end = int(last) if last else high if step else begin
        yield from range(begin, end + 1, int(step or 1))


def _fits(line: str, fields: Fields, wall: datetime) -> bool:
    minutes, hours, days, months, weekdays = fields
    if wall.minute not in minutes or wall.hour not in hours or wall.month not in months:
        return False
    by_day, by_weekday = wall.day in days, wall.isoweekday() % 7 in weekdays
    _, _, day, _, weekday = line.split()
    is_both = day.startswith("*") or weekday.startswith("*")
    return (by_day and by_weekday) if is_both else (by_day or by_weekday)


def _wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()
