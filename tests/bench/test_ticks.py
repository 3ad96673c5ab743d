"""Ticks of Schedules over a real Postgres: does each get exactly one outcome, over a thousand restarts?

Time is the walk's own, so nothing waits. `hack/bench ticks --size 10000` is a tenth of it.
"""

import time

from tests.bench import spending
from tests.bench.conftest import Asked
from tests.support.postgres import Database, Server, opened
from tests.support.tick_walk import Walk

TICKS = 100_000
PER_RESTART = 100
SEED = 1


async def test_ticks(asked: Asked, database: Database, postgres: Server) -> None:
    ticks = asked.size or TICKS
    began, spent = time.monotonic(), _spent(postgres)
    async with opened(database.operator) as store:
        history = await Walk(store, SEED).run(ticks, ticks // PER_RESTART)
    seconds, cpu = time.monotonic() - began, _spent(postgres) - spent
    print(f"\n{history} in {seconds:.0f} s, with {cpu:.0f} s of CPU")
    assert (history.without, history.twice, history.strays) == (0, 0, 0)


def _spent(server: Server) -> float:
    """Seconds of CPU of this process, and of Postgres where it is ours."""
    theirs = spending.family_seconds(server.pid) if server.pid is not None else 0.0
    return time.process_time() + theirs
