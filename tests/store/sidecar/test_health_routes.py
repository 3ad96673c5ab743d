"""One view of all components, at the API."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coxswain.store.pool import Store
from tests.support import sidecar_api, verbs
from tests.support.outage import switchable
from tests.support.postgres import Database
from tests.support.sidecar_api import Api

NOWHERE = """
apiVersion: v1
kind: Config
current-context: a
contexts: [{name: a, context: {cluster: a, user: a}}]
clusters: [{name: a, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: a, user: {token: a}}]
"""


@pytest.fixture
def sockets() -> Iterator[Path]:
    """A folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="cx-") as folder:
        yield Path(folder)


async def test_it_tells_of_each_component_and_of_the_one_that_is_missing(
    api: Api, database: Database, tmp_path: Path
) -> None:
    config = tmp_path / "no-cluster"
    config.write_text(NOWHERE)
    with verbs.running("models", tmp_path, database.gateway, kubeconfig=config) as models:
        await models.says()
        async with api.user.get("/v1/health") as answer:
            said = await answer.json()
    assert answer.status == 200
    assert (said["state"], said["asked"]) == ("broken", True)
    states = {each["name"]: each["state"] for each in said["components"]}
    assert states == {
        "operator": "broken",
        "sidecar": "ok",
        "models": "impaired",
        "egress": "broken",
    }
    (models_said,) = (each for each in said["components"] if each["name"] == "models")
    (replica,) = models_said["replicas"]
    assert (replica["ready"], replica["broken"]) == (True, ["kubernetes"])


async def _health(api: Api, *, asked: bool) -> dict[str, Any]:
    """The view, once all could be asked, or could not."""
    async with asyncio.timeout(30):
        while True:
            async with api.user.get("/v1/health") as answer:
                assert answer.status == 200
                said: dict[str, Any] = await answer.json()
            if said["asked"] is asked:
                return said
            await asyncio.sleep(0.1)


async def test_where_the_database_is_away_it_tells_of_itself(
    database: Database, operator_store: Store, tmp_path: Path, sockets: Path
) -> None:
    async with (
        switchable(database, sockets) as (behind, postgres),
        sidecar_api.running(behind, operator_store, tmp_path) as api,
    ):
        assert await _health(api, asked=True)
        await postgres.off()
        said = await _health(api, asked=False)
    assert said["state"] == "broken"
    (sidecar,) = said["components"]
    assert sidecar["replicas"][0]["broken"] == ["postgres"]
