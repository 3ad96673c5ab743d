"""A million events through two hundred deaths of writers, replicas of the API and Postgres: the goal is 0 of each.

`hack/bench log --events 50000 --kills 20` is a quick look; a smaller one is part of `hack/test store`.
"""

import asyncio
from pathlib import Path

from tests.bench.conftest import Asked
from tests.support import killable_postgres
from tests.support.log_trial import Trial

EVENTS = 1_000_000
KILLS = 200


def test_log(asked: Asked, tmp_path: Path) -> None:
    events, kills = asked.events or EVENTS, asked.kills or KILLS
    with killable_postgres.started() as server:
        database = server.server.create()
        trial = Trial(server, database, tmp_path, events, kills, say=print)
        history = asyncio.run(trial.run())
    found, walk = history.verdict, history.walk
    print(
        f"\n{history.events:,} events of {history.runs} runs through {sum(history.kills.values())} kills"
        f" {dict(history.kills)} in {history.seconds:.0f} s: {found.lost} lost, {found.repeated} repeated,"
        f" {found.disordered} out of order, {history.holes} holes; the reader began {history.streams} streams:"
        f" {walk.skipped} skipped, {walk.repeated} repeated"
    )
    assert history.is_good, history
