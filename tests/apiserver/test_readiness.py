"""Each dependency of the real processes is really broken in turn: /readyz has its name and no other.

postgres      it is not reached, as behind a network that is cut
schema        the database stands at an older revision
queue         the sessions that listen in Postgres are frozen, so no notification comes through
permissions   the roles of operator and API outside of workspaces are unbound
"""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from coxswain.kube.client import Client
from coxswain.store import sessions
from coxswain.store.schema import REVISION
from tests.support import chart, leader, whole
from tests.support.leader import RBAC, Installation
from tests.support.outage import Switch, switchable
from tests.support.postgres import Database
from tests.support.verbs import Running
from tests.support.whole import VERBS

# What keeps a process out of service; a broken one of the others is told of, and it serves on.
NEEDED = {
    "operator": {"kubernetes"},
    **{verb: {"postgres", "schema"} for verb in VERBS if verb != "operator"},
}
PEOPLE = {"sidecar": {"people": "kubernetes"}}


@pytest.fixture
def sockets() -> Iterator[Path]:
    """A folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="cx-") as folder:
        yield Path(folder)


async def test_what_is_broken_in_turn_is_named_alone_and_no_more_once_it_is_mended(
    installation: Installation,
    client: Client,
    database: Database,
    sockets: Path,
    tmp_path: Path,
) -> None:
    await _bind_reviews(client, tmp_path)
    async with switchable(database, sockets) as (behind, postgres):
        with whole.running(installation, behind, tmp_path, PEOPLE) as processes:
            await _all_are(processes, {})
            for name, broken, where in (
                ("postgres", _off(postgres), VERBS),
                ("schema", _older(database), VERBS),
                ("queue", _frozen(database), VERBS),
                ("permissions", _unbound(client), ("operator", "sidecar")),
            ):
                async with broken:
                    await _all_are(processes, dict.fromkeys(where, name))
                await _all_are(processes, {})


async def _all_are(processes: Mapping[str, Running], broken: Mapping[str, str]) -> None:
    """Each process says that this is broken, or nothing, and is ready as that allows."""
    wanted = {verb: [broken[verb]] if verb in broken else [] for verb in processes}
    found = await asyncio.gather(
        *(process.becomes(*wanted[verb]) for verb, process in processes.items())
    )
    for verb, said in zip(processes, found, strict=True):
        ready = not NEEDED[verb] & {*wanted[verb]}
        assert (said["status"], said["ready"]) == (200 if ready else 503, ready), verb


@asynccontextmanager
async def _off(postgres: Switch) -> AsyncIterator[None]:
    await postgres.off()
    yield
    await postgres.on()


@asynccontextmanager
async def _older(database: Database) -> AsyncIterator[None]:
    await _stand_at(database, REVISION - 1)
    yield
    await _stand_at(database, REVISION)


@asynccontextmanager
async def _frozen(database: Database) -> AsyncIterator[None]:
    connection = await asyncpg.connect(database.admin)
    rows = await connection.fetch(
        "SELECT pid FROM pg_stat_activity"
        " WHERE datname = current_database() AND starts_with(application_name, $1)",
        sessions.PREFIX,
    )
    await connection.close()
    assert len(rows) >= len(VERBS)
    for each in rows:
        os.kill(each["pid"], signal.SIGSTOP)
    try:
        yield
    finally:
        for each in rows:
            os.kill(each["pid"], signal.SIGCONT)


@asynccontextmanager
async def _unbound(client: Client) -> AsyncIterator[None]:
    paths = [
        f"{RBAC}/clusterrolebindings/coxswain-{name}"
        for name in ("operator-watch", "sidecar-reviews")
    ]
    found = [await client.get(path) for path in paths]
    for path, each in zip(paths, found, strict=True):
        await client.delete(path, uid=each["metadata"]["uid"])
    try:
        yield
    finally:
        for each in found:
            bound = {**each, "metadata": {"name": each["metadata"]["name"]}}
            await client.create(f"{RBAC}/clusterrolebindings", bound)


async def _bind_reviews(client: Client, folder: Path) -> None:
    for each in chart.render_with(folder, {"people": {"mode": "kubernetes"}}):
        if each["metadata"]["name"].endswith("-sidecar-reviews"):
            await leader.make(client, f"{RBAC}/{each['kind'].lower()}s", each)


async def _stand_at(database: Database, revision: int) -> None:
    connection = await asyncpg.connect(database.admin)
    await connection.execute("UPDATE alembic_version SET version_num = $1", f"{revision:04}")
    await connection.close()
