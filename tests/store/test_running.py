"""Processes tell with what they run; each its own, and no secret."""

import asyncio
from typing import Any

import asyncpg
import pytest

from coxswain.channel_settings import ChannelGatewaySettings
from coxswain.configuration import shown
from coxswain.settings import OperatorSettings, SidecarSettings
from coxswain.store import running
from coxswain.store.pool import Store
from tests.support.postgres import Database

CANARY = "canary-that-nobody-may-read"
HAS: dict[str, Any] = {
    "database_dsn": f"postgresql://a:{CANARY}@b/c",
    "installation": "test",
    "mode": "dev",
}


async def tell(store: Store, process: str = "models", *, is_new: bool = True, **told: Any) -> None:
    await store.run(running.tell, process, "one", told, is_new=is_new)


async def aged(database: Database, seconds: int) -> None:
    connection = await asyncpg.connect(database.owner)
    await connection.execute(
        "UPDATE running_processes SET seen_at = seen_at - make_interval(secs => $1),"
        " started_at = started_at - make_interval(secs => $1)",
        seconds,
    )
    await connection.close()


async def test_the_api_sees_what_every_process_told_last(
    operator_store: Store, gateway_store: Store, sidecar_store: Store
) -> None:
    await tell(operator_store, "operator", A=1)
    await tell(gateway_store, A=None)
    await tell(gateway_store, A=2, is_new=False)
    found = await sidecar_store.run(running.seen)
    assert [(each.process, each.instance, each.settings) for each in found] == [
        ("models", "one", {"A": 2}),
        ("operator", "one", {"A": 1}),
    ]


async def test_a_restart_is_a_new_start_and_a_sign_of_life_is_none(
    database: Database, gateway_store: Store, sidecar_store: Store
) -> None:
    await tell(gateway_store)
    await aged(database, 30)
    (old,) = await sidecar_store.run(running.seen)
    await tell(gateway_store, is_new=False)
    (alive,) = await sidecar_store.run(running.seen)
    assert alive.started_at == old.started_at
    assert alive.seen_at > old.seen_at
    await tell(gateway_store, is_new=True)
    (again,) = await sidecar_store.run(running.seen)
    assert again.started_at > old.started_at


async def test_who_is_silent_is_not_shown_and_then_forgotten(
    database: Database, gateway_store: Store, sidecar_store: Store
) -> None:
    await tell(gateway_store, "egress")
    await aged(database, running.SEEN_SECONDS)
    assert await sidecar_store.run(running.seen) == ()
    await tell(gateway_store, "models")
    assert len(await sidecar_store.run(running.seen, running.FORGOTTEN_SECONDS)) == 2
    await aged(database, running.FORGOTTEN_SECONDS)
    await tell(gateway_store, "models")
    (left,) = await sidecar_store.run(running.seen, 10 * running.FORGOTTEN_SECONDS)
    assert left.process == "models"


async def test_nobody_tells_for_another_login(
    operator_store: Store, gateway_store: Store, sidecar_store: Store
) -> None:
    await tell(operator_store, "operator", MODE="prod")
    await tell(gateway_store, "operator", MODE="dev")
    found = await sidecar_store.run(running.seen)
    assert sorted(str(each.settings) for each in found) == ["{'MODE': 'dev'}", "{'MODE': 'prod'}"]
    (own,) = await gateway_store.run(running.seen)
    assert own.settings == {"MODE": "dev"}


async def test_a_process_tells_until_it_is_told_to_end(
    gateway_store: Store, sidecar_store: Store
) -> None:
    given = ChannelGatewaySettings(**HAS)
    work = asyncio.create_task(
        running.run(gateway_store, "channels", given, instance="pod-1", period=0.02)
    )
    async with asyncio.timeout(10):
        first = await _seen(sidecar_store)
        while (await _seen(sidecar_store)).seen_at == first.seen_at:  # noqa: ASYNC110 - the task does it
            await asyncio.sleep(0.01)
    work.cancel()
    assert (first.process, first.instance) == ("channels", "pod-1")
    assert first.settings == shown(given)


async def _seen(store: Store) -> running.Running:
    while True:
        if found := await store.run(running.seen):
            return found[0]
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("model", "more", "is_set"),
    [
        (
            SidecarSettings,
            {
                "artifacts_bucket": "bucket",
                "artifacts_endpoint": "https://s3.example",
                "artifacts_access_key_id": CANARY,
                "artifacts_secret_access_key": CANARY,
            },
            ["ARTIFACTS_ACCESS_KEY_ID", "ARTIFACTS_SECRET_ACCESS_KEY", "DATABASE_DSN"],
        ),
        (
            OperatorSettings,
            {"agent_image": "a", "namespace": "b", "identity": "c"},
            ["DATABASE_DSN"],
        ),
    ],
)
def test_of_a_secret_only_is_told_that_it_is_set(
    model: Any, more: dict[str, Any], is_set: list[str]
) -> None:
    told = shown(model(**HAS, **more))
    assert CANARY not in str(told)
    assert sorted(name for name, value in told.items() if value == "(set)") == [
        f"COXSWAIN_{name}" for name in is_set
    ]
    assert set(told) == {f"COXSWAIN_{name.upper()}" for name in model.model_fields}
