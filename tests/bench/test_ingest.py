"""Events per second, in order and durable: our log beside two queues of Node and a bare COPY, in turns.

`hack/bench ingest --events 20000` is a quick look.
"""

import asyncio
from pathlib import Path

import pytest

from tests.bench import couriers, ingest
from tests.bench.conftest import Asked
from tests.bench.report import Report
from tests.support.postgres import Server

EVENTS = 100_000


@pytest.mark.parametrize("writers", [1, 10, 100])
def test_events(asked: Asked, durable: Server, tmp_path: Path, writers: int) -> None:
    load = ingest.load(asked.events or EVENTS, writers)
    setting = (
        f"{load.events:,} events, writers: {writers}, batches of {load.batch},"
        f" {load.connections} connections"
    )
    by_name = {each.name: each for each in ingest.ALL}
    report = Report("Ingest", setting, list(by_name), ingest.LINES, asked.json, couriers.versions())
    for run in range(asked.runs):
        for name in report.order(run):
            side = by_name[name]
            database = durable.create(migrated=side.has_schema)
            found = asyncio.run(ingest.measured(side, durable, database, load, tmp_path))
            report.add(name, found)
            durable.drop(database)
    print(f"\n\n{report.text()}\n")
