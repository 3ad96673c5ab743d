"""The egress gateway's process: the web door, tasks for its tunnels and events, and the sender of callbacks."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from coxswain import settings
from coxswain.api.records import Event, RunKey
from coxswain.errors import ConfigurationError, ForbiddenError, UnauthenticatedError
from coxswain.gateway import hosting
from coxswain.gateway.callbacks import assembly
from coxswain.gateway.egress import losses
from coxswain.gateway.egress.allowance import Allowances
from coxswain.gateway.egress.asking import Asked
from coxswain.gateway.egress.door import Admit, Door
from coxswain.gateway.egress.journal import Journal
from coxswain.gateway.egress.places import Places, Turns
from coxswain.gateway.egress.relay import Bounds
from coxswain.gateway.egress.tunnels import Tunnels
from coxswain.gateway.hosting import DRAIN_SECONDS, LEAVE_SECONDS, Host, Ports
from coxswain.gateway.outbound.dialing import RESOLVERS, Dialer, Resolve
from coxswain.gateway.refusals import Refusals
from coxswain.identity.callers import AgentCaller
from coxswain.identity.doors import Doors
from coxswain.identity.keys import Cluster, Keys
from coxswain.identity.runs_of_pods import RunsOfPods
from coxswain.identity.tokens import Verifier
from coxswain.rules import addresses
from coxswain.settings import EgressGatewaySettings
from coxswain.store import claims, connections, deliveries, egress_amounts, events, frozen
from coxswain.store import running as running_processes
from coxswain.store.pool import Store
from coxswain.telemetry import crashes, logs
from coxswain.web import server

NAME = "egress"
SETTLE_SECONDS = 2.0
# Of the dialer's threads for names, one run takes an eighth.
DIALS_OF_ONE_RUN = RESOLVERS // 8


@asynccontextmanager
async def running(
    given: EgressGatewaySettings,
    cluster: Cluster,
    *,
    leave_seconds: float = LEAVE_SECONDS,
    drain_seconds: float = DRAIN_SECONDS,
    resolve: Resolve | None = None,
) -> AsyncIterator[Ports]:
    """The whole process for the length of a block."""
    policy = addresses.policy(given.egress_allowed_networks, given.egress_nat64_prefixes)
    async with AsyncExitStack() as stack:
        dsn = given.database_dsn.get_secret_value()
        store = await Store.open(dsn, connections=given.database_pool, name=f"coxswain-{NAME}")
        stack.push_async_callback(store.close)
        journal = _journal(store)
        stack.push_async_callback(journal.flush)
        keys = Keys(cluster, store)
        tunnels = _tunnels(given, store)
        dialer = Dialer(policy, resolve=resolve)
        refusals = Refusals(store, NAME)
        admit = _admit(given, keys, store, refusals)
        door = _door(given, admit, store, tunnels=tunnels, journal=journal, dialer=dialer)
        host = Host(NAME, store, cluster, keys, channels=[deliveries.CHANNEL])
        health = host.health
        health_port = await stack.enter_async_context(
            server.serving(health.app(metrics=given.metrics), given.bind, given.health_port)
        )
        public = addresses.policy(nat64=given.egress_nat64_prefixes)
        sending = await stack.enter_async_context(
            assembly.opened(given, store, cluster.get, host.listener, public, resolve)
        )
        await stack.enter_async_context(
            host.tasks(
                keys.run(),
                frozen.run(store),
                running_processes.run(store, NAME, given),
                tunnels.run(),
                journal.run(),
                refusals.run(),
                sending.run(),
                losses.run(lambda since: store.transact(connections.close_lost, since)),
            )
        )
        port = await stack.enter_async_context(_serving(door, given, drain_seconds))
        stack.push_async_callback(hosting.leave, health, leave_seconds)
        yield host.opened(port, health_port)


def _journal(store: Store) -> Journal:
    async def append(batch: Sequence[Event]) -> None:
        await store.run(events.append, batch)

    return Journal(append)


def _tunnels(given: EgressGatewaySettings, store: Store) -> Tunnels:
    async def still_open(pod_uids: Sequence[str]) -> frozenset[str]:
        return await store.run(claims.still_open, pod_uids)

    return Tunnels(still_open, given.egress_recheck_seconds)


def _admit(given: EgressGatewaySettings, keys: Keys, store: Store, refusals: Refusals) -> Admit:
    doors = Doors(Verifier(keys, given.installation), RunsOfPods(store))

    async def admit(asked: Asked) -> AgentCaller:
        try:
            return await doors.admit_agent(lambda: asked.token)
        except (UnauthenticatedError, ForbiddenError) as error:
            await refusals.count(error.code)
            raise

    return admit


def _door(
    given: EgressGatewaySettings,
    admit: Admit,
    store: Store,
    *,
    tunnels: Tunnels,
    journal: Journal,
    dialer: Dialer,
) -> Door:
    most, per_run = given.egress_connections, given.egress_connections_per_run
    return Door(
        admit=admit,
        dialer=dialer,
        journal=journal,
        tunnels=tunnels,
        # A pod has an address of its own; some room more, so that its run's bound answers first.
        everybody=Places(most, 2 * per_run),
        runs=Places(most, per_run),
        dials=Turns(DIALS_OF_ONE_RUN),
        bounds=Bounds(given.egress_idle_seconds, given.egress_total_seconds),
        allowances=_allowances(store),
    )


def _allowances(store: Store) -> Allowances:
    async def grant(key: RunKey, wanted: int, most: int) -> int:
        return await store.run(egress_amounts.grant, key, wanted, most)

    return Allowances(grant)


@asynccontextmanager
async def _serving(
    door: Door, given: EgressGatewaySettings, drain_seconds: float
) -> AsyncIterator[int]:
    serving: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(door.serve(reader, writer))
        serving.add(task)
        task.add_done_callback(serving.discard)

    try:
        listening = await asyncio.start_server(accept, given.bind, given.port)
    except OSError as error:
        raise ConfigurationError(f"port {given.port} cannot be opened: {error.strerror}") from error
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        await door.tunnels.drain(drain_seconds)
        if serving:
            _, late = await asyncio.wait(serving, timeout=SETTLE_SECONDS)
            for each in late:
                each.cancel()


def main() -> int:
    """Serve until SIGTERM."""
    given = settings.load(EgressGatewaySettings)
    logs.configure(given.log_format, given.log_level)
    crashes.run(hosting.until_told(given, running))
    return 0
