"""hack/bench ingest in its smallest form: every side takes all events, and ours in order."""

import asyncio
from pathlib import Path

import pytest

from tests.bench import ingest
from tests.bench.ingest import Side
from tests.bench.ingest_process import Load
from tests.support.postgres import Server


@pytest.mark.parametrize("side", ingest.ALL, ids=lambda side: side.name)
def test_a_side_takes_all_events_of_all_writers(
    side: Side, postgres: Server, tmp_path: Path
) -> None:
    load = Load(events=450, writers=3, batch=100, connections=2)
    database = postgres.create(migrated=side.has_schema)
    found = asyncio.run(ingest.measured(side, postgres, database, load, tmp_path))
    postgres.drop(database)
    assert found["events/s"] > 0
    assert found["Postgres, CPU us per event"] >= 0
    assert found.keys() <= {line.name for line in ingest.LINES}
