from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from coxswain.errors import UnavailableError
from coxswain.web import server
from coxswain.web.health import Health
from coxswain.web.readiness import Check, Dependency


async def good() -> None:
    return


async def bad() -> None:
    raise UnavailableError("the database does not answer")


def helpful(name: str, check: Check) -> Dependency:
    return Dependency(name, check, is_needed=False)


@asynccontextmanager
async def running(health: Health) -> AsyncIterator[aiohttp.ClientSession]:
    async with (
        server.serving(health.app(), "127.0.0.1", 0, drain_seconds=1) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        yield session


async def ready(*dependencies: Dependency, query: str = "") -> tuple[int, dict[str, Any]]:
    async with (
        running(Health(*dependencies)) as session,
        session.get(f"/readyz{query}") as answer,
    ):
        return answer.status, await answer.json()


async def test_ready_names_what_is_broken() -> None:
    status, said = await ready(Dependency("postgres", good))
    assert (status, said) == (200, {"ready": True, "stopping": False, "broken": []})
    status, said = await ready(Dependency("postgres", bad), Dependency("keys", good))
    assert (status, said) == (503, {"ready": False, "stopping": False, "broken": ["postgres"]})


async def test_a_helpful_dependency_is_told_of_and_does_not_count() -> None:
    status, said = await ready(Dependency("postgres", good), helpful("kubernetes", bad))
    assert (status, said["broken"]) == (200, ["kubernetes"])


async def test_verbose_tells_of_all_with_state_and_time() -> None:
    _, said = await ready(
        Dependency("postgres", bad),
        Dependency("schema", bad, after="postgres"),
        helpful("kubernetes", good),
        query="?verbose",
    )
    assert said["broken"] == ["postgres"]
    times = [each.pop("milliseconds") for each in said["checks"].values()]
    assert all(time >= 0 for time in times)
    why = "the database does not answer"
    assert said["checks"] == {
        "postgres": {"state": "broken", "needed": True, "why": why},
        "schema": {"state": "unknown", "needed": True, "why": why},
        "kubernetes": {"state": "ok", "needed": False},
    }


async def test_a_process_about_to_end_is_not_ready_and_still_lives() -> None:
    health = Health(Dependency("postgres", good))
    health.stop()
    async with running(health) as session:
        async with session.get("/readyz") as answer:
            assert answer.status == 503
            assert (await answer.json())["broken"] == []
        async with session.get("/healthz") as answer:
            assert answer.status == 200


async def test_metrics_are_there_for_the_asking() -> None:
    async with running(Health(Dependency("postgres", bad))) as session:
        async with session.get("/readyz"):
            pass
        async with session.get("/metrics") as answer:
            text = await answer.text()
    assert 'coxswain_dependency_up{dependency="postgres"} 0.0' in text


async def test_metrics_can_be_switched_off_and_probes_stay() -> None:
    app = Health().app(metrics=False)
    async with (
        server.serving(app, "127.0.0.1", 0, drain_seconds=1) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        async with session.get("/metrics") as answer:
            assert answer.status == 404
        async with session.get("/readyz") as answer:
            assert answer.status == 200
