"""The API over TLS: beside the agents' plain door, led to from a third port, followed without a restart."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from pydantic import SecretStr

from coxswain.errors import ConfigurationError
from coxswain.settings import SidecarSettings
from coxswain.sidecar import process
from devtools.pki import Authority
from tests.support.mounted import Mounted, shown
from tests.support.objects import FakeCluster
from tests.support.postgres import Database
from tests.support.sidecar_api import LOCAL_TOKEN

HERE = "127.0.0.1"


@dataclass(frozen=True)
class Served:
    """The API's ports, its certificate, and who signed it."""

    ports: process.Ports
    mounted: Mounted
    authority: Authority

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority.certificate))


def settings(
    database: Database, folder: Path, mounted: Mounted, door: Mounted | None = None
) -> SidecarSettings:
    token = folder / "token"
    token.write_text(LOCAL_TOKEN)
    return SidecarSettings(
        database_dsn=SecretStr(database.sidecar),
        mode="dev",
        installation="test",
        bind=HERE,
        port=0,
        health_port=0,
        https_port=0,
        redirect_port=0,
        local_token_file=token,
        certificate_file=mounted.pair.certificate,
        certificate_key_file=mounted.pair.key,
        door_certificate_file=None if door is None else door.pair.certificate,
        door_certificate_key_file=None if door is None else door.pair.key,
    )


@pytest_asyncio.fixture
async def served(database: Database, tmp_path: Path, pki: Path) -> AsyncIterator[Served]:
    authority = Authority(pki)
    mounted = Mounted(tmp_path / "tls", authority.issue("first", "first", hosts=[HERE]))
    given = settings(database, tmp_path, mounted)
    async with process.running(given, FakeCluster(), leave_seconds=0) as ports:
        yield Served(ports, mounted, authority)


async def status(url: str, context: ssl.SSLContext | bool = True) -> int:
    known = {"Authorization": f"Bearer {LOCAL_TOKEN}"}
    async with (
        aiohttp.ClientSession(headers=known) as session,
        session.get(url, ssl=context, allow_redirects=False) as answer,
    ):
        return answer.status


async def test_users_come_over_tls_and_agents_to_their_door_as_before(served: Served) -> None:
    over_tls = f"https://{HERE}:{served.ports.https}/v1/jobs"
    assert await status(over_tls, served.trusting()) == 200
    assert await status(f"http://{HERE}:{served.ports.api}/v1/jobs") == 200
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await status(over_tls)


async def test_the_third_port_leads_and_answers_nothing_else(served: Served) -> None:
    for path in ("/v1/jobs", "/healthz", "/docs"):
        assert await status(f"http://{HERE}:{served.ports.redirect}{path}") == 308


async def test_a_new_certificate_is_shown_without_a_restart(served: Served) -> None:
    assert served.ports.https is not None
    second = served.authority.issue("second", "second", hosts=[HERE])
    before = await shown(served.ports.https)
    served.mounted.put(second.certificate.read_bytes(), second.key.read_bytes())
    async with asyncio.timeout(20):
        while (now := await shown(served.ports.https)) == before:  # noqa: ASYNC110 - a task does it
            await asyncio.sleep(0.05)
    assert now == second.certificate.read_bytes()


async def test_a_pair_that_is_none_is_refused_at_the_start(
    database: Database, tmp_path: Path, pki: Path
) -> None:
    mounted = Mounted(tmp_path / "tls", Authority(pki).issue("first", "first", hosts=[HERE]))
    mounted.put(b"", b"")
    given = settings(database, tmp_path, mounted)
    with pytest.raises(ConfigurationError, match="no certificate with its key"):
        async with process.running(given, FakeCluster(), leave_seconds=0):
            pass


async def test_the_door_shows_a_certificate_of_its_own_and_follows_it_too(
    database: Database, tmp_path: Path, pki: Path
) -> None:
    authority = Authority(pki)
    users = Mounted(tmp_path / "tls", authority.issue("first", "first", hosts=[HERE]))
    inside = authority.issue("second", "second", hosts=[HERE])
    door = Mounted(tmp_path / "inside", inside)
    given = settings(database, tmp_path, users, door)
    async with process.running(given, FakeCluster(), leave_seconds=0) as ports:
        assert ports.https is not None
        assert await shown(ports.api) == inside.certificate.read_bytes()
        assert await shown(ports.https) != inside.certificate.read_bytes()
        trusting = ssl.create_default_context(cafile=str(authority.certificate))
        assert await status(f"https://{HERE}:{ports.api}/v1/jobs", trusting) == 200
        third = authority.issue("third", "third", hosts=[HERE])
        door.put(third.certificate.read_bytes(), third.key.read_bytes())
        async with asyncio.timeout(20):
            while await shown(ports.api) != third.certificate.read_bytes():  # noqa: ASYNC110 - a task does it
                await asyncio.sleep(0.05)
        # The kubelet and Prometheus ask this one, and are told nothing secret.
        assert await status(f"http://{HERE}:{ports.health}/healthz") == 200
