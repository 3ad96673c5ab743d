"""The channel gateway's process: a port for senders outside, and a task that looks at pages.

Stateless: any number of replicas. It judges and records; it never decides.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

from aiohttp import web
from typing_extensions import override

from coxswain import names, settings
from coxswain.api.triggers import ClaimedPoll, Looked, NewTrigger, Remembered
from coxswain.channel_settings import ChannelGatewaySettings
from coxswain.errors import ForbiddenError, NotFoundError
from coxswain.gateway import hosting
from coxswain.gateway.channels import limits
from coxswain.gateway.channels.fetching import Fetcher
from coxswain.gateway.channels.hooks import Hooks, Records
from coxswain.gateway.channels.polling import Pages, Poller
from coxswain.gateway.hosting import DRAIN_SECONDS, LEAVE_SECONDS, Host, Ports
from coxswain.gateway.keyring import Keyring
from coxswain.gateway.outbound.dialing import Dialer, Resolve
from coxswain.identity.keys import Cluster
from coxswain.rules import addresses, callbacks
from coxswain.rules.permissions import Permission
from coxswain.store import frozen, mirror, polls, triggers
from coxswain.store import running as running_processes
from coxswain.store.mirror import ObjectRow
from coxswain.store.pool import Store
from coxswain.telemetry import crashes, logs, traces
from coxswain.web import server

NAME = "channels"
TITLE = "Coxswain channel gateway"
# Strangers get no more patience than a request takes.
KEEPALIVE_SECONDS = 15.0
REFUSED_SECONDS = 5.0

C = TypeVar("C")


class _Stored(Records, Pages):
    """Schedules, triggers and pages in Postgres."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @override
    async def schedule(self, workspace: str, name: str) -> ObjectRow | None:
        return await self._store.run(mirror.get, triggers.KIND, workspace, name)

    @override
    async def record(self, new: NewTrigger, remember: Sequence[Remembered]) -> bool:
        return await self._store.transact(triggers.record, new, remember)

    @override
    async def claim(self, limit: int, lease_seconds: float) -> Sequence[ClaimedPoll]:
        await self._store.run(polls.adopt)
        return await self._store.run(polls.claim, limit, lease_seconds)

    @override
    async def settle(
        self, claimed: ClaimedPoll, looked: Looked, trigger: NewTrigger | None
    ) -> bool:
        return await self._store.transact(polls.settle, claimed, looked, trigger)

    @override
    async def tidy(self) -> None:
        await self._store.run(polls.forget)
        while await self._store.transact(triggers.forget):
            pass


class _Strangers:
    """Nobody is known here; what is no hook is not there."""

    async def admit(self, request: web.Request, kind: type[C], permission: Permission) -> C:
        raise ForbiddenError("nobody has an account here")

    async def check(self, request: web.Request) -> None:
        raise NotFoundError("there is nothing here", code="route_unknown")


def build(given: ChannelGatewaySettings, hooks: Hooks) -> web.Application:
    """The server for senders."""
    app = server.build(NAME, TITLE, [hooks], _Strangers())
    app.middlewares.append(limits.limited(given.webhooks_at_once, given.webhooks_seconds))
    return app


@asynccontextmanager
async def running(
    given: ChannelGatewaySettings,
    cluster: Cluster,
    *,
    leave_seconds: float = LEAVE_SECONDS,
    drain_seconds: float = DRAIN_SECONDS,
    resolve: Resolve | None = None,
) -> AsyncIterator[Ports]:
    """The whole process for the length of a block."""
    async with AsyncExitStack() as stack:
        dsn = given.database_dsn.get_secret_value()
        store = await Store.open(dsn, connections=given.database_pool, name=f"coxswain-{NAME}")
        stack.push_async_callback(store.close)
        fetcher = _fetcher(given, resolve)
        stack.push_async_callback(fetcher.close)
        stored = _Stored(store)
        poller = Poller(
            stored,
            fetcher,
            at_once=given.polls_at_once,
            round_seconds=given.polls_round_seconds,
        )
        keys = Keyring(cluster.get, names.SECRET_TYPE_CHANNEL, refused_seconds=REFUSED_SECONDS)
        host = Host(NAME, store, cluster)
        health = host.health
        health_port = await stack.enter_async_context(
            server.serving(health.app(metrics=given.metrics), given.bind, given.health_port)
        )
        await stack.enter_async_context(
            host.tasks(
                *(poller.run(), frozen.run(store)),
                running_processes.run(store, NAME, given),
            )
        )
        door = server.serving(
            build(given, Hooks(stored, keys)),
            given.bind,
            given.port,
            drain_seconds=drain_seconds,
            keepalive_seconds=KEEPALIVE_SECONDS,
        )
        port = await stack.enter_async_context(door)
        stack.push_async_callback(hosting.leave, health, leave_seconds)
        yield host.opened(port, health_port)


def _fetcher(given: ChannelGatewaySettings, resolve: Resolve | None) -> Fetcher:
    policy = callbacks.policy(
        enabled=True, domains=given.polls_allowed_domains, origins=given.polls_origins
    )
    public = Dialer(addresses.policy(nat64=given.polls_nat64_prefixes), resolve=resolve)
    listed = Dialer(addresses.ANYWHERE, resolve=resolve)
    return Fetcher(public, listed, policy, seconds=given.polls_timeout_seconds)


def main() -> int:
    """Serve until SIGTERM."""
    given = settings.load(ChannelGatewaySettings)
    logs.configure(given.log_format, given.log_level)
    traces.start(given.traces_endpoint, NAME)
    crashes.run(hosting.until_told(given, running))
    traces.stop()
    return 0
