"""hack/bench api in its smallest form: every route answers, and a soak says how the memory went."""

from pathlib import Path

from tests.bench import api_load
from tests.bench.api_load import LINES, SOAK_LINES
from tests.bench.api_routes import ROUTES
from tests.support.postgres import Database, Server

REQUESTS = 32
SOAK_SECONDS = 5.0


async def test_every_route_is_measured_and_then_the_memory(
    postgres: Server, database: Database, tmp_path: Path
) -> None:
    found: dict[str, float] = {}
    async with api_load.opened(postgres, database, tmp_path, jobs=120) as api:
        for route in ROUTES:
            found |= await api.route(route, REQUESTS)
        soaked = await api.soak(SOAK_SECONDS)
    assert found.keys() == {line.name for line in LINES}
    assert min(value for name, value in found.items() if name.endswith("requests/s")) > 0
    assert soaked.keys() == {line.name for line in SOAK_LINES}
    assert soaked["memory at last, MB"] > 10
