"""The ten routes of the API that are called most: requests per second, p99 and CPU of each; then its memory.

`hack/bench api` measures the routes, one after the other, `--size` requests each; `hack/bench api --soak` also asks all
of them by turns for a quarter of an hour.
"""

import asyncio
from pathlib import Path

import pytest

from tests.bench import api_load
from tests.bench.api_load import AT_ONCE, JOBS, SOAK_PER_SECOND
from tests.bench.api_routes import ROUTES
from tests.bench.conftest import Asked
from tests.bench.report import Report
from tests.support.postgres import Database, Server

REQUESTS = 3000
NAME = "Coxswain"


def test_routes(asked: Asked, durable: Server, database: Database, tmp_path: Path) -> None:
    requests = asked.size or REQUESTS
    setting = f"{requests:,} requests of each route, {AT_ONCE} at once, {JOBS:,} Jobs"
    report = Report("API", setting, [NAME], api_load.LINES, asked.json)

    async def run() -> None:
        async with api_load.opened(durable, database, tmp_path) as api:
            for _ in range(asked.runs):
                found: dict[str, float] = {}
                for route in ROUTES:
                    found |= await api.route(route, requests)
                report.add(NAME, found)

    asyncio.run(run())
    print(f"\n\n{report.text()}\n")


def test_soak(asked: Asked, durable: Server, database: Database, tmp_path: Path) -> None:
    if asked.soak is None:
        pytest.skip("no soak was asked for: hack/bench api --soak")
    setting = f"soak of {asked.soak} min, {SOAK_PER_SECOND} requests/s over {len(ROUTES)} routes"
    report = Report("API", setting, [NAME], api_load.SOAK_LINES, asked.json)

    async def run() -> None:
        async with api_load.opened(durable, database, tmp_path) as api:
            report.add(NAME, await api.soak(60.0 * (asked.soak or 0)))

    asyncio.run(run())
    print(f"\n\n{report.text()}\n")
