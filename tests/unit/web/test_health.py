from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from coxswain.errors import UnavailableError
from coxswain.web import server
from coxswain.web.health import Check, Health


async def good() -> None:
    return


async def bad() -> None:
    raise UnavailableError("the database does not answer")


@asynccontextmanager
async def running(health: Health) -> AsyncIterator[aiohttp.ClientSession]:
    async with (
        server.serving(health.app(), "127.0.0.1", 0, drain_seconds=1) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        yield session


async def ready(needed: dict[str, Check], helpful: dict[str, Check]) -> tuple[int, list[str]]:
    async with running(Health(needed, helpful)) as session, session.get("/readyz") as answer:
        return answer.status, (await answer.json())["broken"]


async def test_ready_names_what_is_broken() -> None:
    assert await ready({"postgres": good}, {}) == (200, [])
    assert await ready({"postgres": bad, "keys": good}, {}) == (503, ["postgres"])


async def test_a_helpful_dependency_is_told_of_and_does_not_count() -> None:
    health = Health({"postgres": good}, {"kubernetes": bad})
    async with running(health) as session, session.get("/readyz") as answer:
        said = await answer.json()
    assert answer.status == 200
    assert said["checks"] == {"postgres": "ok", "kubernetes": "the database does not answer"}


async def test_a_process_about_to_end_is_not_ready_and_still_lives() -> None:
    health = Health({"postgres": good}, {})
    health.stop()
    async with running(health) as session:
        async with session.get("/readyz") as answer:
            assert answer.status == 503
        async with session.get("/healthz") as answer:
            assert answer.status == 200


async def test_metrics_are_there_for_the_asking() -> None:
    async with running(Health({"postgres": bad}, {})) as session:
        async with session.get("/readyz"):
            pass
        async with session.get("/metrics") as answer:
            text = await answer.text()
    assert 'coxswain_dependency_up{dependency="postgres"} 0.0' in text


async def test_metrics_can_be_switched_off_and_probes_stay() -> None:
    app = Health({}, {}).app(metrics=False)
    async with (
        server.serving(app, "127.0.0.1", 0, drain_seconds=1) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        async with session.get("/metrics") as answer:
            assert answer.status == 404
        async with session.get("/readyz") as answer:
            assert answer.status == 200
