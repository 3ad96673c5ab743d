"""Thousands of Schedules of which a few are due in each minute: ours beside CronJob, in turns.

Measured at rest, and around minutes on which one in a hundred fires. Run it with `hack/bench stampede`.
"""

import asyncio
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from tests.bench import spending, ticking
from tests.bench.conftest import Asked
from tests.bench.figures import Figure, percentile
from tests.bench.report import Report
from tests.bench.spending import Meter
from tests.bench.ticking import MINUTE, OURS, PEER, Ticking
from tests.support.postgres import Server

SCHEDULES = 10_000
SHARE = 100
"""One in so many is due in a minute."""
MINUTES = 2
REST_SECONDS = 120
"""At rest: our sweeper looks at everything about once a minute."""
# Seconds of a thousand until they are made and looked at.
MAKE_SECONDS, LEAST_SECONDS, MOST_SECONDS = 20, 30, 300
NEVER = timedelta(hours=12)
LINES = [
    Figure("at rest, CPU ms per Schedule and minute", "less", 3),
    Figure("at rest, CPU, % of a core", "less"),
    Figure("controller, CPU ms per tick", "less"),
    Figure("minute to Job, p50, ms", "less", 0),
    Figure("minute to Job, p99, ms", "less", 0),
    Figure("memory, MB", "less", 0),
]


def test_thousands_of_schedules_of_which_few_are_due(
    asked: Asked, postgres: Server, tmp_path: Path
) -> None:
    count, seconds = asked.size or SCHEDULES, asked.seconds or REST_SECONDS
    setting = f"{count:,}, one in {SHARE} due in a minute"
    report = Report("Stampede", setting, (OURS, PEER), LINES, asked.json)
    for run in range(asked.runs):
        for name in report.order(run):
            folder = tmp_path / f"{run}-{name}"
            measured = partial(_dormant, count=count, seconds=seconds)
            report.add(name, ticking.measure(name, postgres, folder, measured, report.about))
    print(f"\n\n{report.text()}\n")


async def _dormant(side: Ticking, *, count: int, seconds: int) -> dict[str, float]:
    making = max(LEAST_SECONDS, MAKE_SECONDS * count / 1000)
    first = ticking.next_minute(making + seconds)
    minutes = [first + n * MINUTE for n in range(MINUTES)]
    due = max(1, count // SHARE)
    lines = dict.fromkeys(range(count), ticking.line(first + NEVER))
    for n, minute in enumerate(minutes):
        lines |= dict.fromkeys(range(n * due, (n + 1) * due), ticking.line(minute))
    await side.make_all(lines)
    await Meter({"controller": side.controller}).rest(longest_seconds=making)
    resting = await _rest(side, seconds)
    ticks = [await _fire(side, minute, due) for minute in minutes]
    late = [each for _, found in ticks for each in found]
    return {
        "at rest, CPU ms per Schedule and minute": 1000 * resting * 60 / count,
        "at rest, CPU, % of a core": 100 * resting,
        "controller, CPU ms per tick": 1000 * sum(spent for spent, _ in ticks) / len(late),
        "minute to Job, p50, ms": 1000 * percentile(late, 0.5),
        "minute to Job, p99, ms": 1000 * percentile(late, 0.99),
        "memory, MB": spending.peak_megabytes(side.controller),
    }


async def _rest(side: Ticking, seconds: int) -> float:
    """CPU in a second while nothing is due."""
    before = spending.own_seconds(side.controller)
    await asyncio.sleep(seconds)
    return (spending.own_seconds(side.controller) - before) / seconds


async def _fire(side: Ticking, minute: datetime, due: int) -> tuple[float, list[float]]:
    """CPU from just before a minute until all is quiet again, and how late each Job was."""
    await ticking.just_before(minute)
    before = spending.own_seconds(side.controller)
    late = await ticking.creations(side.client, side.jobs, minute, due, MOST_SECONDS)
    await Meter({"controller": side.controller}).rest()
    return spending.own_seconds(side.controller) - before, late
