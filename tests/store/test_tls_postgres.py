"""Postgres over TLS where its address asks for it: only the server that is meant."""

import asyncio
from pathlib import Path

import pytest

from coxswain.errors import CoxswainError
from coxswain.store import migrate, schema
from coxswain.store.listener import Listener
from coxswain.store.pool import Store
from devtools.pki import Authority
from tests.support import tls_postgres, waiting
from tests.support.postgres import Database, Server, opened


async def test_a_server_with_the_right_name_and_signer_is_spoken_to_over_tls(
    postgres: Server, database: Database, pki: Path
) -> None:
    authority = Authority(pki)
    pair = authority.issue("postgres", "postgres", hosts=["localhost"])
    trusting = {"sslmode": "verify-full", "sslrootcert": str(authority.certificate)}
    async with tls_postgres.before(postgres.admin, pair) as server:
        dsn = server.dsn(database.operator, **trusting)
        async with opened(dsn, connections=2) as store:
            await store.run(schema.require)
        listener = Listener(dsn, ["anything"])
        listening = asyncio.create_task(listener.run())
        await waiting.until(lambda: listener.connected)
        listening.cancel()
        assert await migrate.upgrade(server.dsn(database.owner, **trusting)) == schema.REVISION
        assert server.over_tls >= 3
        assert server.plain == []


@pytest.mark.parametrize(("signer", "host"), [("another", "localhost"), ("ours", "127.0.0.1")])
async def test_another_server_is_refused_and_learns_no_password(
    postgres: Server, database: Database, pki: Path, tmp_path: Path, signer: str, host: str
) -> None:
    ours, another = Authority(pki), Authority(tmp_path / "another")
    by = ours if signer == "ours" else another
    pair = by.issue("postgres", "postgres", hosts=["localhost"])
    async with tls_postgres.before(postgres.admin, pair) as server:
        dsn = server.dsn(
            database.operator, host, sslmode="verify-full", sslrootcert=str(ours.certificate)
        )
        with pytest.raises(CoxswainError, match="certificate is not trusted"):
            await _ask(dsn)
        assert server.over_tls == 0
        assert server.plain == []


async def _ask(dsn: str) -> None:
    store = await Store.open(dsn, connections=1, name="tests")
    try:
        await store.run(schema.require)
    finally:
        await store.close()
