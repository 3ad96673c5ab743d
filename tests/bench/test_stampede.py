"""Hundreds of Schedules on one minute: ours beside CronJob of the same Kubernetes, in turns.

A third side only makes the Jobs, as fast as the API server takes them. Measured from the minute to the
creation of Job and pod, as a watch tells of them. Run it with `hack/bench stampede`.
"""

import asyncio
from functools import partial
from pathlib import Path

from tests.bench import spending, ticking
from tests.bench.conftest import Asked
from tests.bench.figures import Figure, percentile
from tests.bench.report import Report
from tests.bench.spending import Meter
from tests.bench.ticking import BARE, OURS, PEER, PODS, Ticking
from tests.support.postgres import Server

SCHEDULES = 500
PREPARE_SECONDS, MOST_SECONDS = 60, 600
LINES = [
    Figure(f"minute to {kind}, {what}, ms", "less", 0)
    for kind in ("Job", "pod")
    for what in ("p50", "p99", "max")
] + [Figure("controller, CPU ms per tick", "less")]


def test_hundreds_of_schedules_on_one_minute(
    asked: Asked, postgres: Server, tmp_path: Path
) -> None:
    count = asked.size or SCHEDULES
    report = Report("Stampede", f"{count:,} on one minute", (OURS, PEER, BARE), LINES, asked.json)
    for run in range(asked.runs):
        for name in report.order(run):
            folder = tmp_path / f"{run}-{name}"
            measured = partial(_stampede, count=count)
            report.add(name, ticking.measure(name, postgres, folder, measured, report.about))
    print(f"\n\n{report.text()}\n")


async def _stampede(side: Ticking, *, count: int) -> dict[str, float]:
    minute = ticking.next_minute(PREPARE_SECONDS)
    await side.make_all(dict.fromkeys(range(count), ticking.line(minute)))
    await ticking.just_before(minute)
    before = spending.own_seconds(side.controller)
    kinds = {"Job": side.jobs} | ({"pod": PODS} if side.makes_pods else {})
    heard = (
        ticking.creations(side.client, path, minute, count, MOST_SECONDS) for path in kinds.values()
    )
    found = dict(zip(kinds, await asyncio.gather(*heard), strict=True))
    await Meter({"controller": side.controller}).rest()
    spent = spending.own_seconds(side.controller) - before
    return {"controller, CPU ms per tick": 1000 * spent / count} | {
        f"minute to {kind}, {what}, ms": 1000 * percentile(late, share)
        for kind, late in found.items()
        for what, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    }
