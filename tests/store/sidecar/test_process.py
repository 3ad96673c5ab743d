"""The process as it is started: by its settings, from the command line."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from coxswain import settings
from coxswain.errors import ConfigurationError
from coxswain.settings import SidecarSettings
from tests.support.postgres import Database, Server
from tests.support.sidecar_process import started


async def test_it_starts_without_its_account_and_ends_in_order(
    database: Database, tmp_path: Path
) -> None:
    async with started(database.sidecar, tmp_path) as sidecar:
        url = f"{sidecar.health_url}/readyz"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            state = await answer.json()
        assert await sidecar.terminate() == 0
    assert answer.status == 200
    assert state["checks"]["postgres"] == "ok"
    assert "cannot be asked yet" in state["checks"]["kubernetes"]


async def test_it_waits_unready_for_its_schema(postgres: Server, tmp_path: Path) -> None:
    empty = await asyncio.to_thread(postgres.create, migrated=False)
    async with (
        started(empty.owner, tmp_path) as sidecar,
        aiohttp.ClientSession() as session,
        session.get(f"{sidecar.health_url}/readyz") as answer,
    ):
        state = await answer.json()
    assert (answer.status, state["broken"]) == (503, ["schema"])


def test_a_refused_configuration_names_every_bad_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COXSWAIN_PORT", "no")
    monkeypatch.setenv("COXSWAIN_STREAMS", "0")
    with pytest.raises(ConfigurationError) as refused:
        settings.load(SidecarSettings)
    for key in ("PORT", "STREAMS", "DATABASE_DSN", "INSTALLATION"):
        assert f"COXSWAIN_{key}:" in refused.value.message
