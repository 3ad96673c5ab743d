"""A thousand holders acquire, renew and release: our leases beside coordination leases and etcd's own.

Everything on one machine in one run, the arms by turns and back again, each from this one process with
the same number of calls under way; Postgres and etcd both leave the disk's cache to the kernel. Then ten
times as many hand-overs with pauses, wrong clocks and lost answers. Run it with `hack/bench leases`.
"""

import asyncio
import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from coxswain.api.records import Lease, LeaseHolder
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.sidecar.lease_desk import LeaseDesk
from coxswain.store.leases import holding, keeping
from coxswain.store.leases.holding import Holding, Wanted
from coxswain.store.pool import Store
from devtools import children
from devtools.controlplane import ControlPlane
from tests.bench import figures
from tests.bench.conftest import Asked
from tests.bench.figures import Figure
from tests.bench.report import Report
from tests.bench.spending import Meter
from tests.support import apiserver
from tests.support.handovers import Contest
from tests.support.leases import Leases
from tests.support.postgres import Database, Server, opened
from tests.support.rows import new_lease

HOLDERS = 1000
AT_ONCE = 16
RENEWALS = 3
BATCHES = 10
ME = LeaseHolder.of_user("local", None)
STORE, API, COORDINATION, ETCD = SIDES = (
    *("Coxswain, store", "Coxswain, API"),
    *("coordination lease", "etcd lease"),
)
LINES = [
    Figure("acquired/s", "more", 0),
    Figure("renewed/s", "more", 0),
    Figure("released/s", "more", 0),
    Figure("renewed/s, in batches", "more", 0),
    Figure("acquired/s, in a batch", "more", 0),
    Figure("released/s, in a batch", "more", 0),
    Figure("CPU of the servers per acquisition, ms", "less"),
    Figure("CPU of the servers per renewal, ms", "less"),
    Figure("p99 of an acquisition, ms", "less"),
    Figure("p99 of a renewal, ms", "less"),
]
TIMED = {"acquired": "an acquisition", "renewed": "a renewal"}
Call = Callable[[str], Awaitable[Any]]


@dataclass
class Arm:
    """One run of one side: what it came to, by the name of the figure."""

    names: list[str]
    meter: Meter
    found: dict[str, float] = field(default_factory=dict)

    async def each(self, deed: str, call: Call, rounds: int = 1) -> None:
        """Call for every name, so many at once."""
        waiting = iter(self.names * rounds)
        times: list[float] = []

        async def works() -> None:
            for name in waiting:
                began = time.perf_counter()
                await call(name)
                times.append(time.perf_counter() - began)

        began, before = time.perf_counter(), self.meter.read()
        await asyncio.gather(*(works() for _ in range(AT_ONCE)))
        self.found[f"{deed}/s"] = len(times) / (time.perf_counter() - began)
        spent = sum(self.meter.read().since(before)[name] for name in self._servers())
        if deed in TIMED:
            late = figures.percentile(times, 0.99)
            self.found[f"p99 of {TIMED[deed]}, ms"] = 1000 * late
            each = 1000 * spent / len(times)
            self.found[f"CPU of the servers per {TIMED[deed].split()[1]}, ms"] = each

    def _servers(self) -> list[str]:
        return [*self.meter.pids, *self.meter.families]

    async def whole(self, figure: str, call: Callable[[], Awaitable[Any]], rounds: int = 1) -> None:
        """Call for all names at once."""
        began = time.perf_counter()
        for _ in range(rounds):
            await call()
        self.found[figure] = len(self.names) * rounds / (time.perf_counter() - began)

    def knows_no_batch(self) -> None:
        """One by one is the fastest that it can."""
        self.found["renewed/s, in batches"] = self.found["renewed/s"]


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """An API server and etcd of their own."""
    with ControlPlane(tmp_path_factory.mktemp("bench")) as started:
        asyncio.run(apiserver.install_kinds(started.kubeconfig))
        yield started


async def test_holders(
    asked: Asked, plane: ControlPlane, postgres: Server, database: Database, tmp_path: Path
) -> None:
    names = [f"l{number:05}" for number in range(asked.size or HOLDERS)]
    setting = f"{len(names):,} holders, {AT_ONCE} calls at once"
    report = Report("Leases", setting, SIDES, LINES, asked.json)
    client = await Client.connect(plane.kubeconfig, name="bench")
    namespace = await apiserver.onboard(client, "leases")
    await _define(database, names)
    async with (
        _sidecar(database, tmp_path, plane) as (http, sidecar),
        opened(database.sidecar, connections=AT_ONCE) as store,
    ):
        deeds: dict[str, Callable[[Arm], Awaitable[None]]] = {
            STORE: lambda arm: _in_the_store(arm, store),
            API: lambda arm: _through_the_api(arm, http),
            COORDINATION: lambda arm: _as_coordination_leases(arm, client, namespace),
            ETCD: lambda arm: _in_etcd(arm, plane.etcd_url),
        }
        kubernetes = {"etcd": plane.pid("etcd"), "apiserver": plane.pid("kube-apiserver")}
        assert postgres.pid is not None
        meters = {
            STORE: Meter({"driver": os.getpid()}, {"postgres": postgres.pid}),
            API: Meter({"sidecar": sidecar}, {"postgres": postgres.pid}),
            COORDINATION: Meter(kubernetes),
            ETCD: Meter({"etcd": plane.pid("etcd")}),
        }
        for run in range(asked.runs):
            for side in report.order(run):
                arm = Arm(names, meters[side])
                await deeds[side](arm)
                report.add(side, arm.found)
    await client.close()
    print(f"\n{report.text()}")


async def test_handovers(asked: Asked, database: Database) -> None:
    wanted = 10 * (asked.size or HOLDERS)
    async with (
        opened(database.operator) as operator,
        opened(database.sidecar, connections=12) as sidecar,
    ):
        began = time.monotonic()
        history = await Contest(Leases(operator, sidecar), wanted=wanted).run()
    print(f"\n{wanted:,} hand-overs in {time.monotonic() - began:.0f} s: {history}")
    assert (history.double_tokens, history.stale_writes) == (0, 0)
    assert (history.kept_wrongly, history.lost_wrongly) == (0, 0)


async def _define(database: Database, names: list[str]) -> None:
    async with opened(database.operator) as operator:
        for name in names:
            await operator.transact(keeping.define, new_lease(name, ttl_seconds=600))


async def _in_the_store(arm: Arm, store: Store) -> None:
    token: dict[str, int] = {}

    desk = LeaseDesk(store)

    async def acquire(name: str) -> None:
        found = await desk.acquire(Wanted("team", name, ME, ME.text))
        assert isinstance(found, Lease)
        token[name] = found.token

    def held(name: str) -> Holding:
        return Holding(("team", name), ME, token[name])

    async def renew_all() -> None:
        found = await store.run(holding.renew, [held(name) for name in arm.names])
        assert sum(isinstance(each, Lease) for each in found) == len(arm.names)

    async def acquire_all() -> None:
        wanted = [Wanted("team", name, ME, ME.text) for name in arm.names]
        found = await store.transact(holding.acquire_all, wanted)
        token.update((each.name, each.token) for each in found if isinstance(each, Lease))

    async def release_all() -> None:
        await store.transact(holding.release_all, [(held(name), ME.text) for name in arm.names])

    await arm.each("acquired", acquire)
    await arm.each("renewed", lambda name: desk.renew(held(name)), RENEWALS)
    await arm.each("released", lambda name: desk.release(held(name), ME.text))
    await arm.whole("acquired/s, in a batch", acquire_all)
    await arm.whole("renewed/s, in batches", renew_all, BATCHES)
    await arm.whole("released/s, in a batch", release_all)


async def _through_the_api(arm: Arm, http: aiohttp.ClientSession) -> None:
    token: dict[str, int] = {}

    async def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with http.post(f"/v1/workspaces/team/{path}", json=body) as answer:
            found: dict[str, Any] = await answer.json()
            assert answer.status == 200, found
            return found

    async def acquire(name: str) -> None:
        token[name] = (await post(f"leases/{name}/acquire", {}))["token"]

    async def renew_all() -> None:
        wanted = [{"name": name, "token": token[name]} for name in arm.names]
        found = await post("lease-renewals", {"renewals": wanted})
        assert len(found["renewed"]) == len(arm.names)

    await arm.each("acquired", acquire)
    await arm.each("renewed", lambda n: post(f"leases/{n}/renew", {"token": token[n]}), RENEWALS)
    await arm.whole("renewed/s, in batches", renew_all, BATCHES)
    await arm.each("released", lambda name: post(f"leases/{name}/release", {"token": token[name]}))


async def _as_coordination_leases(arm: Arm, client: Client, namespace: str) -> None:
    """As client-go does: create, then update with the resourceVersion; released by deletion."""
    path = paths.coordination_leases(namespace)
    held: dict[str, dict[str, Any]] = {}

    async def acquire(name: str) -> None:
        spec = {"holderIdentity": "me", "leaseDurationSeconds": 600, "renewTime": _now()}
        held[name] = await client.create(path, {"metadata": {"name": name}, "spec": spec})

    async def renew(name: str) -> None:
        version = held[name]["metadata"]["resourceVersion"]
        change = {"metadata": {"resourceVersion": version}, "spec": {"renewTime": _now()}}
        held[name] = await client.patch(f"{path}/{name}", change)

    async def release(name: str) -> None:
        await client.delete(f"{path}/{name}", uid=held[name]["metadata"]["uid"])

    await arm.each("acquired", acquire)
    await arm.each("renewed", renew, RENEWALS)
    await arm.each("released", release)
    arm.knows_no_batch()


async def _in_etcd(arm: Arm, url: str) -> None:
    """Its JSON gateway: a lease, a key under it if there is none, kept alive, revoked."""
    lease: dict[str, str] = {}
    async with aiohttp.ClientSession(url) as http:

        async def post(path: str, body: dict[str, Any]) -> dict[str, Any]:
            async with http.post(path, json=body) as answer:
                text = await answer.text()
                assert answer.status == 200, text
                found: dict[str, Any] = json.loads(text.splitlines()[0])
                return found

        async def acquire(name: str) -> None:
            lease[name] = (await post("/v3/lease/grant", {"TTL": 600}))["ID"]
            key = base64.b64encode(name.encode()).decode()
            put = {"requestPut": {"key": key, "value": key, "lease": lease[name]}}
            absent = {"key": key, "target": "CREATE", "createRevision": "0"}
            found = await post("/v3/kv/txn", {"compare": [absent], "success": [put]})
            assert found["succeeded"]

        await arm.each("acquired", acquire)
        await arm.each("renewed", lambda n: post("/v3/lease/keepalive", {"ID": lease[n]}), RENEWALS)
        await arm.each("released", lambda n: post("/v3/lease/revoke", {"ID": lease[n]}))
    arm.knows_no_batch()


@asynccontextmanager
async def _sidecar(
    database: Database, folder: Path, plane: ControlPlane
) -> AsyncIterator[tuple[aiohttp.ClientSession, int]]:
    """The API as a process of its own: one client, and its pid."""
    token, port = folder / "token", children.free_port()
    token.write_text("a-local-token-of-the-bench")
    given = {
        "COXSWAIN_DATABASE_DSN": database.sidecar,
        "COXSWAIN_DATABASE_POOL": str(AT_ONCE),
        "COXSWAIN_INSTALLATION": "bench",
        "COXSWAIN_MODE": "dev",
        # One caller plays all.
        "COXSWAIN_REQUESTS_PER_SECOND": "100000",
        "COXSWAIN_BIND": "127.0.0.1",
        "COXSWAIN_PORT": str(port),
        "COXSWAIN_HEALTH_PORT": str(children.free_port()),
        "COXSWAIN_LOCAL_TOKEN_FILE": str(token),
        "COXSWAIN_KUBECONFIG": str(plane.kubeconfig),
    }
    known = {"Authorization": f"Bearer {token.read_text()}"}
    with _process(given, folder / "sidecar.log") as pid:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=known) as http:
            async with asyncio.timeout(60):
                while not await _answers(http):  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.2)
            yield http, pid


@contextmanager
def _process(given: dict[str, str], log: Path) -> Iterator[int]:
    with log.open("wb") as file:
        words = [sys.executable, "-m", "coxswain", "sidecar"]
        process = subprocess.Popen(words, env={**os.environ, **given}, stdout=file, stderr=file)
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(30)


async def _answers(http: aiohttp.ClientSession) -> bool:
    try:
        async with http.get("/v1/leases") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
