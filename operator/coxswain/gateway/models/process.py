"""The model gateway's process: two ports, a task that judges Agents, a task that writes late usage.

Stateless: any number of replicas, each ready when database, schema and the cluster's keys are there.
"""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web

from coxswain import settings
from coxswain.gateway import hosting
from coxswain.gateway.backlog import Backlog
from coxswain.gateway.hosting import LEAVE_SECONDS, Host, Ports
from coxswain.gateway.models.api import ModelDoor, in_openai_format
from coxswain.gateway.models.calls import Calls
from coxswain.gateway.models.deltas import Deltas
from coxswain.gateway.models.destinations import Destinations
from coxswain.gateway.models.upstream import Upstream
from coxswain.gateway.models.verdicts import Judge
from coxswain.gateway.refusals import Refusals
from coxswain.identity.doors import Doors
from coxswain.identity.keys import Cluster, Keys
from coxswain.identity.runs_of_pods import RunsOfPods
from coxswain.identity.tokens import Verifier
from coxswain.rules import flags
from coxswain.settings import ModelGatewaySettings
from coxswain.store import deltas, frozen, usage, verdicts
from coxswain.store import running as running_processes
from coxswain.store.flags import Switch
from coxswain.store.pool import Store
from coxswain.store.usage import Call
from coxswain.store.verdicts import Unsettled, Verdict
from coxswain.telemetry import crashes, logs, metrics, traces
from coxswain.web import server
from coxswain.web.auditing import RECORDER
from coxswain.web.routes import Gate

NAME = "models"
TITLE = "Coxswain model gateway"

# Libraries that would write requests, with keys in their headers, into a debug log.
SILENT = ("any_llm", "anthropic", "httpcore", "httpx", "openai")


class _Records:
    """Agents and verdicts in Postgres."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def unsettled(self) -> Sequence[Unsettled]:
        return await self._store.run(verdicts.unsettled)

    async def one(self, agent_uid: str) -> Unsettled | None:
        return await self._store.run(verdicts.one, agent_uid)

    async def put(self, verdict: Verdict) -> None:
        await self._store.transact(verdicts.put, verdict)


def build(calls: Calls, judge: Judge, gate: Gate, refusals: Refusals) -> web.Application:
    """The server of the model door."""
    app = server.build(NAME, TITLE, [ModelDoor(calls, judge.doubt)], gate)
    app[RECORDER] = refusals
    app.middlewares.append(in_openai_format)
    return app


@asynccontextmanager
async def running(
    given: ModelGatewaySettings, cluster: Cluster, *, leave_seconds: float = LEAVE_SECONDS
) -> AsyncIterator[Ports]:
    """The whole process for the length of a block."""
    async with AsyncExitStack() as stack:
        dsn = given.database_dsn.get_secret_value()
        store = await Store.open(dsn, connections=given.database_pool, name=f"coxswain-{NAME}")
        stack.push_async_callback(store.close)
        upstream = Upstream(
            read_seconds=given.provider_silence_seconds, total_seconds=given.provider_total_seconds
        )
        stack.push_async_callback(upstream.close)
        rows = _usage_log(store)
        stack.push_async_callback(rows.flush)
        keys = Keys(cluster, store)
        demo = Switch(store, flags.DEMO, given)
        destinations = Destinations(
            cluster.get, listed_urls=given.provider_base_urls, demo=demo.is_on
        )
        judge = _judge(given, destinations, store)
        doors = Doors(Verifier(keys, given.installation), RunsOfPods(store))
        host = Host(NAME, store, cluster, keys, [deltas.WATCHED])
        told = Deltas(store, host.listener)
        refusals = Refusals(store, NAME)
        calls = Calls(destinations, upstream, rows.record, told.voice)
        app = build(calls, judge, doors, refusals)
        health = host.health
        health_port = await stack.enter_async_context(
            server.serving(health.app(metrics=given.metrics), given.bind, given.health_port)
        )
        await stack.enter_async_context(
            host.tasks(
                *(keys.run(), frozen.run(store)),
                *(judge.run(), rows.run(), told.run(), refusals.run()),
                running_processes.run(store, NAME, given),
            )
        )
        door = server.serving(app, given.bind, given.port, drain_seconds=hosting.DRAIN_SECONDS)
        port = await stack.enter_async_context(door)
        stack.push_async_callback(hosting.leave, health, leave_seconds)
        yield host.opened(port, health_port)


def _usage_log(store: Store) -> Backlog[Call]:
    async def write(call: Call) -> None:
        await store.run(usage.record, call)

    return Backlog(write, metrics.USAGE_LOST)


def _judge(given: ModelGatewaySettings, destinations: Destinations, store: Store) -> Judge:
    return Judge(
        destinations,
        _Records(store),
        poll_seconds=given.verdict_poll_seconds,
        recheck_seconds=given.verdict_recheck_seconds,
    )


def main() -> int:
    """Serve until SIGTERM."""
    given = settings.load(ModelGatewaySettings)
    logs.configure(given.log_format, given.log_level)
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.ERROR)
    traces.start(given.traces_endpoint, NAME)
    crashes.run(hosting.until_told(given, running))
    traces.stop()
    return 0
