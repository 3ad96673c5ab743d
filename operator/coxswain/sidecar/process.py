"""The process: opens its ports, keeps keys, log and partitions current, ends in order on SIGTERM."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from aiohttp import web

from coxswain import settings
from coxswain.api.standing import Role
from coxswain.errors import CoxswainError
from coxswain.identity.doors import Doors
from coxswain.identity.keys import Keys
from coxswain.identity.runs_of_pods import RunsOfPods
from coxswain.identity.tokens import Verifier
from coxswain.kube.access import Right
from coxswain.settings import SidecarSettings
from coxswain.sidecar import caller_rates, ports, sessions
from coxswain.sidecar.approval_routes import ApprovalRoutes
from coxswain.sidecar.artifact_store import ArtifactStore
from coxswain.sidecar.audit_routes import AuditRoutes
from coxswain.sidecar.auditing import ApiRecorder
from coxswain.sidecar.call_routes import CallRoutes
from coxswain.sidecar.cluster import Announced, Cluster, Objects
from coxswain.sidecar.collector import Collector
from coxswain.sidecar.config_routes import ConfigRoutes
from coxswain.sidecar.delivery_routes import DeliveryRoutes
from coxswain.sidecar.event_routes import EventRoutes
from coxswain.sidecar.health_routes import HealthRoutes
from coxswain.sidecar.key_routes import KeyRoutes
from coxswain.sidecar.keyed_objects import KeyedObjects
from coxswain.sidecar.lease_routes import LeaseRoutes
from coxswain.sidecar.live_stream import Pace
from coxswain.sidecar.metric_routes import MetricRoutes
from coxswain.sidecar.object_routes import ObjectRoutes
from coxswain.sidecar.record_routes import RecordRoutes
from coxswain.sidecar.report_routes import ReportRoutes
from coxswain.sidecar.rerun_routes import RerunRoutes
from coxswain.sidecar.result_routes import ResultRoutes
from coxswain.sidecar.review_routes import ReviewRoutes
from coxswain.sidecar.run_lease_routes import RunLeaseRoutes
from coxswain.sidecar.run_routes import RunRoutes
from coxswain.sidecar.schedule_routes import ScheduleRoutes
from coxswain.sidecar.streams import Streams
from coxswain.sidecar.suspend_routes import SuspendRoutes
from coxswain.sidecar.type_routes import TypeRoutes
from coxswain.sidecar.type_store import TypeStore
from coxswain.sidecar.ways_in import WaysIn
from coxswain.sidecar.wire import TAKEN, EventView
from coxswain.store import deltas, events, frozen, idempotency, partitions
from coxswain.store import running as running_processes
from coxswain.store.audited import AuditedStore
from coxswain.store.bucket import Address, Bucket
from coxswain.store.leases import lines
from coxswain.store.listener import Listener
from coxswain.store.pool import Store
from coxswain.telemetry import crashes, logs, traces
from coxswain.web import asyncapi, dependencies, server
from coxswain.web.auditing import RECORDER
from coxswain.web.banner import Banner
from coxswain.web.certificates import Certificate
from coxswain.web.health import Health
from coxswain.web.limiting import LIMITER
from coxswain.web.readiness import Dependency
from coxswain.web.roll_call import ANSWERS, Answering, Presence, RollCall

log = logs.get(__name__)

NAME = "sidecar"
TITLE = "Coxswain API"
PACE = Pace()
CHANNELS = (events.CHANNEL, lines.CHANNEL, sessions.CHANNEL, deltas.CHANNEL, ANSWERS)
PARTITION_SECONDS = 3600.0
RETRY_SECONDS = 10.0
PURGE_SECONDS = 600.0
# Others go on sending here until they know; they find the port open for that long.
LEAVE_SECONDS = 2.0
# What the API cannot do without where people come by Kubernetes; all else it may is of workspaces.
REVIEWS = (
    Right("create", "tokenreviews", "authentication.k8s.io"),
    Right("create", "subjectaccessreviews", "authorization.k8s.io"),
)


@dataclass(frozen=True)
class Ports:
    """What was really opened."""

    api: int
    health: int
    tell: Callable[[], Coroutine[Any, Any, None]]
    """Writes the one line that says what has started."""
    https: int | None = None
    redirect: int | None = None


def main() -> int:
    """Serve until SIGTERM."""
    given = settings.load(SidecarSettings)
    logs.configure(given.log_format, given.log_level)
    traces.start(given.traces_endpoint, NAME)
    crashes.run(_until_told(given))
    traces.stop()
    return 0


@asynccontextmanager
async def running(
    given: SidecarSettings,
    cluster: Objects,
    *,
    leave_seconds: float = LEAVE_SECONDS,
    pace: Pace = PACE,
) -> AsyncIterator[Ports]:
    """The whole process for the length of a block."""
    certificate = ports.certificate(given)
    async with AsyncExitStack() as stack:
        dsn = given.database_dsn.get_secret_value()
        store = await AuditedStore.open(dsn, connections=given.database_pool, name=NAME)
        stack.push_async_callback(store.close)
        keys = Keys(cluster, store)
        presence, banner = Presence(NAME), Banner(NAME)
        listener = presence.listener(dsn, CHANNELS)
        ways = WaysIn(given, store, cluster)
        doors = Doors(Verifier(keys, given.installation), RunsOfPods(store), ways.finders)
        streams = Streams(store, listener, limit=given.streams, pace=pace)
        bucket = _bucket(given)
        files = ArtifactStore(store, bucket, given.artifacts_prefix)
        changed = Announced(cluster, store.announce)
        handlers = [
            *_handlers(store, changed, streams, files, given),
            *_of_leases(store, changed, listener, given),
        ]
        health = Health(
            *dependencies.of_store(store, listener, is_needed=True),
            *_of_cluster(given, cluster, keys, ways),
        )
        standing = partial(presence.standing, health, Role.ACTIVE)
        answering = Answering(store, listener, standing)
        handlers.append(HealthRoutes(RollCall(store, listener), standing))
        recorder = ApiRecorder(store, frozenset(given.onboarded_workspaces))
        app = _app(given, handlers, doors, recorder)
        app.on_shutdown.append(streams.stop)
        health_port = await stack.enter_async_context(
            server.serving(health.app(metrics=given.metrics), given.bind, given.health_port)
        )
        group = await stack.enter_async_context(banner.group())
        work = [answering.run(), keys.run(), listener.run(), streams.run(), frozen.run(store)]
        work += [recorder.denials.run(), *ways.work(), *_chores(given, store, bucket, certificate)]
        tasks = [group.create_task(each) for each in work]
        stack.callback(_cancel, tasks)
        opened = await stack.enter_async_context(ports.opened(app, given, certificate))
        stack.push_async_callback(_leave, health, leave_seconds)
        banner.opened(health=health_port, **opened.named)
        tell = partial(banner.say, health, Role.ACTIVE)
        yield Ports(opened.api, health_port, tell, opened.https, opened.redirect)


def _chores(
    given: SidecarSettings, store: Store, bucket: Bucket | None, shown: Certificate | None
) -> list[Coroutine[Any, Any, None]]:
    """What every replica does from time to time."""
    found = [_make_days(store), _purge_keys(store), running_processes.run(store, NAME, given)]
    if bucket is not None:
        found.append(Collector(store, bucket).run())
    if shown is not None:
        found.append(shown.run())
    return found


def _app(
    given: SidecarSettings, handlers: list[object], doors: Doors, recorder: ApiRecorder
) -> web.Application:
    documents = {asyncapi.PATH: asyncapi.document(EventView, TAKEN)}
    app = server.build(NAME, TITLE, handlers, doors, documents=documents)
    app[RECORDER] = recorder
    app[LIMITER] = caller_rates.limiter(given)
    return app


def _bucket(given: SidecarSettings) -> Bucket | None:
    keys = (given.artifacts_access_key_id, given.artifacts_secret_access_key)
    if not given.artifacts_bucket or keys[0] is None or keys[1] is None:
        return None
    return Bucket(
        Address(
            endpoint=given.artifacts_endpoint,
            bucket=given.artifacts_bucket,
            region=given.artifacts_region,
            is_path_style=given.artifacts_path_style,
            access_key_id=keys[0].get_secret_value(),
            secret_access_key=keys[1].get_secret_value(),
        )
    )


def _handlers(
    store: Store,
    cluster: Objects,
    streams: Streams,
    files: ArtifactStore,
    given: SidecarSettings,
) -> list[object]:
    types = TypeStore(cluster)
    keyed = KeyedObjects(store, cluster, given.idempotency_seconds)
    return [
        RunRoutes(store, files),
        ReportRoutes(store),
        ObjectRoutes(store, cluster, types, keyed, given.workspace_weights),
        SuspendRoutes(cluster),
        ReviewRoutes(cluster),
        RerunRoutes(store, cluster, keyed),
        ApprovalRoutes(store, cluster),
        CallRoutes(store, cluster),
        ResultRoutes(store, cluster),
        TypeRoutes(types),
        RecordRoutes(store, cluster, streams, files),
        EventRoutes(store, cluster, streams),
        DeliveryRoutes(store),
        ScheduleRoutes(store, cluster, keyed),
        KeyRoutes(store),
        AuditRoutes(store, given.installation, streams.pace.again_seconds),
        MetricRoutes(store, given),
        ConfigRoutes(store, given.mode),
    ]


def _of_leases(
    store: Store, cluster: Objects, listener: Listener, given: SidecarSettings
) -> list[object]:
    keyed = KeyedObjects(store, cluster, given.idempotency_seconds)
    return [LeaseRoutes(store, cluster, listener, keyed), RunLeaseRoutes(store, listener)]


async def _until_told(given: SidecarSettings) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, told.set)
    cluster = Cluster(given.kubeconfig, given.account_folder)
    try:
        async with running(given, cluster) as opened:
            telling = asyncio.create_task(opened.tell())
            await told.wait()
            telling.cancel()
            log.info("ending")
    finally:
        await cluster.close()


def _of_cluster(
    given: SidecarSettings, cluster: Objects, keys: Keys, ways: WaysIn
) -> list[Dependency]:
    """It serves on without the API server, with what it has."""
    found = [
        dependencies.of_cluster(cluster, is_needed=False),
        dependencies.of_keys(keys),
        Dependency("people", ways.check, is_needed=False),
    ]
    if given.people == "kubernetes":
        found.insert(1, dependencies.of_rights(cluster, REVIEWS))
    return found


async def _make_days(store: Store) -> None:
    while True:
        try:
            await store.transact(partitions.make, datetime.now(UTC).date())
            wait = PARTITION_SECONDS
        except CoxswainError as error:
            log.warning("the event log's days cannot be made", code=error.code)
            wait = RETRY_SECONDS
        await asyncio.sleep(wait)


async def _purge_keys(store: Store) -> None:
    while True:
        try:
            while await store.run(idempotency.purge):
                log.info("idempotency keys have ended")
            wait = PURGE_SECONDS
        except CoxswainError as error:
            log.warning("idempotency keys cannot be purged", code=error.code)
            wait = RETRY_SECONDS
        await asyncio.sleep(wait)


async def _leave(health: Health, seconds: float) -> None:
    health.stop()
    await asyncio.sleep(seconds)


def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for each in tasks:
        each.cancel()
