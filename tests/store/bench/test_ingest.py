"""hack/bench ingest in its smallest form: every side takes all events, and ours in order."""

import asyncio
from pathlib import Path

import pytest

from tests.bench import ingest
from tests.bench.ingest import Side
from tests.bench.ingest_process import Load
from tests.support.postgres import Server

FEW = Load(events=450, writers=3, batch=100, connections=2)
ALL = [pytest.param(side, FEW, id=side.name) for side in ingest.ALL]
ONE = pytest.param(ingest.Api(), ingest.load(150, 1), id="one writer")


@pytest.mark.parametrize(("side", "load"), [*ALL, ONE])
def test_a_side_takes_all_events_of_all_writers(
    side: Side, load: Load, postgres: Server, tmp_path: Path
) -> None:
    database = postgres.create(migrated=side.has_schema)
    found = asyncio.run(ingest.measured(side, postgres, database, load, tmp_path))
    postgres.drop(database)
    assert found["events/s"] > 0
    assert found["Postgres, CPU us per event"] >= 0
    assert found.keys() <= {line.name for line in ingest.LINES}
