"""The model gateway's process: two ports, a task that judges Agents, a task that writes late usage.

Stateless: any number of replicas, each ready when database, schema and the cluster's keys are there.
"""

import asyncio
import logging
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack

from aiohttp import web

from coxswain import settings
from coxswain.gateway.models.api import ModelDoor, in_openai_format
from coxswain.gateway.models.calls import Calls
from coxswain.gateway.models.destinations import Destinations
from coxswain.gateway.models.upstream import Upstream
from coxswain.gateway.models.usage import UsageLog
from coxswain.gateway.models.verdicts import Judge
from coxswain.identity.doors import Doors
from coxswain.identity.keys import Keys
from coxswain.identity.local_token import LocalToken
from coxswain.identity.runs_of_pods import RunsOfPods
from coxswain.identity.tokens import Verifier
from coxswain.kube.client import Client
from coxswain.settings import ModelGatewaySettings
from coxswain.store import schema, usage, verdicts
from coxswain.store.pool import Store
from coxswain.store.usage import Call
from coxswain.store.verdicts import Unsettled, Verdict
from coxswain.telemetry import logs
from coxswain.web import server
from coxswain.web.health import Health
from coxswain.web.routes import Gate

NAME = "models"
TITLE = "Coxswain model gateway"
DRAIN_SECONDS = 20.0

# Libraries that would write requests, with keys in their headers, into a debug log.
SILENT = ("any_llm", "anthropic", "httpcore", "httpx", "openai")

log = logs.get(__name__)


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


def build(calls: Calls, judge: Judge, gate: Gate) -> web.Application:
    """The server of the model door."""
    app = server.build(NAME, TITLE, [ModelDoor(calls, judge.doubt)], gate)
    app.middlewares.append(in_openai_format)
    return app


async def run(given: ModelGatewaySettings, until: asyncio.Event) -> None:
    """Serve until the event is set."""
    async with AsyncExitStack() as stack:
        dsn = given.database_dsn.get_secret_value()
        store = await Store.open(dsn, connections=given.database_pool, name=f"coxswain-{NAME}")
        stack.push_async_callback(store.close)
        cluster = await Client.connect(given.kubeconfig)
        stack.push_async_callback(cluster.close)
        upstream = Upstream(
            read_seconds=given.provider_silence_seconds, total_seconds=given.provider_total_seconds
        )
        stack.push_async_callback(upstream.close)

        async def write(call: Call) -> None:
            await store.run(usage.record, call)

        rows = UsageLog(write)
        stack.push_async_callback(rows.flush)
        keys = Keys(cluster, store)
        destinations = Destinations(
            cluster.get, listed_urls=given.provider_base_urls, demo=given.demo_provider
        )
        judge = Judge(
            destinations,
            _Records(store),
            poll_seconds=given.verdict_poll_seconds,
            recheck_seconds=given.verdict_recheck_seconds,
        )
        gate = Doors(Verifier(keys, given.installation), RunsOfPods(store), LocalToken(None))
        app = build(Calls(destinations, upstream, rows.record), judge, gate)
        health = Health(
            {"database": lambda: store.run(schema.require), "keys": keys.check}, helpful={}
        )
        await _serve(given, stack, app, health)
        tasks = [asyncio.create_task(each.run()) for each in (keys, judge, rows)]
        stack.push_async_callback(_cancel, tasks)
        await _until(until, tasks)
        health.stop()


async def _serve(
    given: ModelGatewaySettings, stack: AsyncExitStack, app: web.Application, health: Health
) -> None:
    own = server.serving(health.app(), given.bind, given.health_port)
    await stack.enter_async_context(own)
    door = server.serving(app, given.bind, given.port, drain_seconds=DRAIN_SECONDS)
    port = await stack.enter_async_context(door)
    log.info("serving", port=port)


async def _until(until: asyncio.Event, tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait for the event; a task that ends before is an error, and ends the process."""
    waiting = asyncio.create_task(until.wait())
    done, _ = await asyncio.wait({waiting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in done - {waiting}:
        await task


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def _main(given: ModelGatewaySettings) -> None:
    until = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, until.set)
    await run(given, until)


def main() -> int:
    """Run the model gateway until SIGTERM."""
    given = settings.load(ModelGatewaySettings)
    logs.configure(given.log_format, given.log_level)
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.ERROR)
    asyncio.run(_main(given))
    return 0
