"""One replica of the operator: wait to lead, lead, and end in a way that the next one can go on at once.

Restart is always safe and cheap, so every unknown error ends the process, which then starts itself
anew. On SIGTERM what is lined up is written and the lease is released, so a successor leads within
a second or two.
"""

import asyncio
import os
import secrets
import signal
import time
from functools import partial

import structlog

from coxswain import settings
from coxswain.errors import ConfigurationError, CoxswainError
from coxswain.kube.client import Client
from coxswain.process import kinds, watchdog
from coxswain.process.election import DEADLINE_SECONDS, Election
from coxswain.process.leading import DRAIN_SECONDS, Leading
from coxswain.process.sidecar_account import SidecarAccount
from coxswain.settings import OperatorSettings
from coxswain.store import schema
from coxswain.store.pool import Store
from coxswain.telemetry import logs
from coxswain.web import server
from coxswain.web.health import Check, Health

log = structlog.get_logger()

API_RETRY_SECONDS = 2.0


def main() -> int:
    """Run until told to stop; the exit code is 0 then."""
    loaded = settings.load(OperatorSettings)
    logs.configure(loaded.log_format, loaded.log_level)
    try:
        asyncio.run(Replica(loaded).run())
    except ConfigurationError:
        raise
    except (CoxswainError, ExceptionGroup) as error:
        log.exception("the operator ends")
        watchdog.restart(str(error)[:200].replace('"', "'"))
    return 0


class Replica:
    """One process from start to end."""

    def __init__(self, loaded: OperatorSettings) -> None:
        self._settings = loaded
        self._stop = asyncio.Event()
        self._watchdog = watchdog.Watchdog(DEADLINE_SECONDS)
        self._leading: Leading | None = None

    async def run(self) -> None:
        """Serve probes, hand over the sidecar's token, wait for the lease, lead."""
        self._install_signals()
        client = await Client.connect(self._settings.kubeconfig)
        dsn = self._settings.database_dsn.get_secret_value()
        store = await Store.open(
            dsn, connections=self._settings.database_pool, name="coxswain-operator"
        )
        health = Health(_needed(client), {"postgres": partial(store.run, schema.require)})
        serving = server.serving(health.app(), self._settings.bind, self._settings.health_port)
        async with serving:
            await self._campaign(client, store)

    async def _campaign(self, client: Client, store: Store) -> None:
        """Wait for the lease and lead; returns only by an error."""
        await self._check_kinds(client)
        election = Election(
            client,
            namespace=self._settings.namespace,
            name=self._settings.lease_name,
            identity=f"{self._settings.identity}_{secrets.token_hex(4)}",
            clock=time.monotonic,
        )
        self._watchdog.start()
        account = asyncio.create_task(self._hand_over(client))
        leading = asyncio.create_task(self._lead(election, client, store))
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait({leading, stopping, account}, return_when=asyncio.FIRST_COMPLETED)
        if not self._stop.is_set():
            # Let go first: whoever leads next, this process anew or another, need not wait.
            self._watchdog.stop()
            await election.release()
            for ended in (leading, account):
                if ended.done():
                    ended.result()
        await self._end(election)

    async def _lead(self, election: Election, client: Client, store: Store) -> None:
        epoch = await election.acquire()
        self._leading = Leading(self._settings, client, store, election.raise_epoch)
        async with asyncio.TaskGroup() as group:
            group.create_task(election.hold(self._watchdog.feed))
            group.create_task(self._leading.run(epoch, self._install_signals))

    async def _hand_over(self, client: Client) -> None:
        folder = self._settings.sidecar_account_folder
        if folder is None:
            await asyncio.Event().wait()
            return
        account = SidecarAccount(
            client,
            namespace=self._settings.namespace,
            account=self._settings.sidecar_account,
            folder=folder,
        )
        await account.run()

    async def _check_kinds(self, client: Client) -> None:
        while True:
            try:
                await kinds.check(client)
            except ConfigurationError:
                raise
            except CoxswainError as error:
                log.warning("the API server does not answer yet", error=error.message)
                await asyncio.sleep(API_RETRY_SECONDS)
            else:
                return

    async def _end(self, election: Election) -> None:
        """Write what is lined up, let go of the lease, and end at once.

        kopf would take seconds to end its tasks; nothing of it is worth waiting for.
        """
        if self._leading is not None and self._leading.world is not None:
            drained = await self._leading.world.records.drain(DRAIN_SECONDS)
            log.info("stopping", records_written=drained)
        self._watchdog.stop()
        await election.release()
        os._exit(0)

    def _install_signals(self) -> None:
        """Called again once kopf has installed its own."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, self._stop.set)


def _needed(client: Client) -> dict[str, Check]:
    async def api_server() -> None:
        await client.get("/version")

    return {"api-server": api_server}
