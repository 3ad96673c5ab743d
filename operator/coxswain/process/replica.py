"""One replica of the operator: wait to lead, lead, and end in a way that the next one can go on at once.

Restart is always safe and cheap, so every unknown error ends the process, which then starts itself
anew. On SIGTERM what is lined up is written and the lease is released, so a successor leads within
a second or two.
"""

import asyncio
import os
import time
from collections.abc import Sequence

import structlog

from coxswain import names, settings
from coxswain.api.standing import Role, Standing
from coxswain.errors import ConfigurationError, CoxswainError, FencedError
from coxswain.kube.access import Right
from coxswain.kube.client import Client
from coxswain.process import former, kinds, leading, watchdog
from coxswain.process.election import Election, Pace
from coxswain.process.leading import Leading
from coxswain.process.sidecar_account import SidecarAccount
from coxswain.settings import OperatorSettings
from coxswain.store import running
from coxswain.store.pool import Store
from coxswain.telemetry import crashes, logs, traces
from coxswain.web import dependencies, server
from coxswain.web.banner import Banner
from coxswain.web.health import Health
from coxswain.web.readiness import Dependency
from coxswain.web.roll_call import Answering, Presence

log = structlog.get_logger()

NAME = "operator"
API_RETRY_SECONDS = 2.0


def main() -> int:
    """Run until told to stop; the exit code is 0 then."""
    loaded = settings.load(OperatorSettings)
    logs.configure(loaded.log_format, loaded.log_level)
    traces.start(loaded.traces_endpoint, NAME)
    crashes.run(Replica(loaded).run())
    traces.stop()
    return 0


class Replica:
    """One process from start to end."""

    def __init__(self, loaded: OperatorSettings) -> None:
        self._settings = loaded
        self._stop = asyncio.Event()
        self._pace = Pace.of(loaded.lease_seconds)
        self._watchdog = watchdog.Watchdog(self._pace.deadline_seconds)
        self._presence = Presence(NAME, loaded.identity)
        self._listener = self._presence.listener(_dsn(loaded), leading.CHANNELS)
        self._banner = Banner(NAME)
        self._health = Health()
        self._telling: asyncio.Task[None] | None = None
        self._leading: Leading | None = None
        self._holding: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve probes, hand over the sidecar's token, wait for the lease, lead."""
        self._install_signals()
        client = await Client.connect(
            self._settings.kubeconfig,
            before_write=self._may_write,
            name=f"coxswain-operator/{self._settings.identity}",
            streams=leading.streams(self._settings),
        )
        store = await Store.open(
            _dsn(self._settings),
            connections=self._settings.database_pool,
            name="coxswain-operator",
        )
        self._health = self._depends_on(client, store)
        app = self._health.app(metrics=self._settings.metrics)
        given = self._settings
        async with server.serving(app, given.bind, given.health_port) as port:
            self._banner.opened(health=port)
            await self._campaign(client, store)

    def _depends_on(self, client: Client, store: Store) -> Health:
        """Unready is only who cannot reach the API server: the API beside it serves without us."""
        return Health(
            dependencies.of_cluster(client, is_needed=True),
            dependencies.of_rights(client, _rights(self._settings)),
            *dependencies.of_store(store, self._listener, is_needed=False),
            Dependency("work_queue", self._passes_are_made, is_needed=False),
        )

    async def _passes_are_made(self) -> None:
        if self._leading is not None:
            await self._leading.check()

    async def _standing(self) -> Standing:
        role = Role.STANDBY if self._leading is None else Role.LEADER
        return await self._presence.standing(self._health, role)

    async def _campaign(self, client: Client, store: Store) -> None:
        """Wait for the lease and lead, until told to stop or until something fails."""
        await self._check_kinds(client)
        election = self._election(client)
        self._watchdog.start()
        answering = Answering(store, self._listener, self._standing)
        work = (
            *(self._hand_over(client), self._tell_settings(store)),
            *(self._listener.run(), answering.run()),
        )
        beside = [self._banner.begin(each) for each in work]
        leads = asyncio.create_task(self._lead(election, client, store))
        stopping = asyncio.create_task(self._stop.wait())
        ended, _ = await asyncio.wait(
            {leads, stopping, *beside}, return_when=asyncio.FIRST_COMPLETED
        )
        # A leading that has ended by itself has nobody left to end a pass or to write what is lined up.
        if self._leading is not None and leads not in ended:
            await self._leading.stop()
        await self._stand_down(election)
        # At once: kopf would take seconds to end its tasks, and nothing of it is worth waiting for.
        if self._stop.is_set():
            os._exit(0)
        for each in ended:
            log.error("the operator starts anew", exc_info=each.exception())
        watchdog.restart("a task of the leader has ended")

    def _election(self, client: Client) -> Election:
        given = self._settings
        identity = f"{given.identity}_{watchdog.instance()}"
        file = given.lock_file
        return Election(
            client,
            namespace=given.namespace,
            name=given.lease_name,
            identity=identity,
            former=None if file is None else former.take_place(file, identity),
            pace=self._pace,
            clock=time.monotonic,
        )

    async def _lead(self, election: Election, client: Client, store: Store) -> None:
        epoch = await election.acquire(self._stand_by)
        self._leading = Leading(
            self._settings,
            client,
            store,
            election.raise_epoch,
            listener=self._listener,
            tell=self._tell,
            parts=self._banner.group,
        )
        self._holding = asyncio.create_task(self._hold(election))
        running = asyncio.create_task(self._leading.run(epoch, self._install_signals))
        ended, _ = await asyncio.wait({self._holding, running}, return_when=asyncio.FIRST_COMPLETED)
        for each in ended:
            each.result()

    def _stand_by(self) -> None:
        """Somebody else leads: say so, once."""
        if self._telling is None:
            self._telling = asyncio.create_task(self._banner.say(self._health, Role.STANDBY))

    async def _tell(self, workspaces: Sequence[str]) -> None:
        await self._banner.say(self._health, Role.LEADER, workspaces=workspaces)

    async def _hold(self, election: Election) -> None:
        try:
            await election.hold(self._watchdog.feed)
        except CoxswainError:
            self._watchdog.trip()
            raise

    async def _stand_down(self, election: Election) -> None:
        """Let go of the lease: whoever leads next, this process anew or another, need not wait."""
        if self._holding is not None:
            self._holding.cancel()
            await asyncio.wait({self._holding})
        await election.release()
        self._watchdog.stop()

    def _may_write(self) -> None:
        """Raise FencedError once the lease may be somebody else's: a process that was frozen."""
        if self._watchdog.is_overdue(time.monotonic()):
            raise FencedError("the lease was not renewed in time")

    async def _tell_settings(self, store: Store) -> None:
        await running.run(store, "operator", self._settings, instance=self._settings.identity)

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

    def _install_signals(self) -> None:
        """Called again once kopf has installed its own."""
        loop = asyncio.get_running_loop()
        for each in watchdog.ENDINGS:
            loop.add_signal_handler(each, self._stop.set)
        watchdog.heed()


def _dsn(given: OperatorSettings) -> str:
    return given.database_dsn.get_secret_value()


def _rights(given: OperatorSettings) -> tuple[Right, ...]:
    """One of each role that counts outside of workspaces; what it may do in one is told of there."""
    lease = Right(
        "update", "leases", "coordination.k8s.io", namespace=given.namespace, name=given.lease_name
    )
    if given.read_workspaces is not None:
        return (lease,)
    return Right("watch", "jobs", names.GROUP), Right("watch", "pods"), lease
