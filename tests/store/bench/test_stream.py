"""hack/bench stream in its smallest form: every reader has every message, in order, of either side."""

from pathlib import Path

import pytest

from tests.bench import fanout, sse_readers
from tests.bench.fanout import Load, Side
from tests.support.postgres import Database, Server

LOAD = Load(readers=20, messages=40, per_second=100)


@pytest.mark.parametrize("side", fanout.ALL, ids=lambda side: side.name)
async def test_every_reader_has_every_message(
    side: Side, postgres: Server, database: Database, tmp_path: Path
) -> None:
    found = await fanout.measured(side, postgres, database, LOAD, tmp_path)
    assert found.keys() <= {line.name for line in fanout.LINES}
    assert 0 < found["p50, ms"] <= found["p99, ms"] <= found["most, ms"]


async def test_a_message_that_is_missed_or_comes_again_is_seen(
    postgres: Server, database: Database, tmp_path: Path
) -> None:
    async with fanout.Ours().opened(postgres, database, tmp_path, 2) as serving:
        place = (serving.port, serving.path, serving.headers)
        async with sse_readers.reading(*place, 2, 4, 2) as readers:
            for number in (1, 3, 3):
                await serving.publish(sse_readers.message(number, 1))
            came = await readers.came(10)
    # Of each reader: 2 was left out, and 3 came twice.
    assert (came.taken, came.missing, came.disordered) == (6, 2, 4)
