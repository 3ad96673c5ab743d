"""A thousand holders acquire, renew and release: our leases beside coordination leases and etcd's own.

Everything on one machine in one run, the arms by turns and back again, each from this one process with
the same number of calls under way; Postgres and etcd both leave the disk's cache to the kernel. Then ten
thousand hand-overs with pauses, wrong clocks and lost answers. Run it with hack/bench -k leases.
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
from tests.support import apiserver, postgres
from tests.support.handovers import Contest
from tests.support.leases import Leases
from tests.support.postgres import Database
from tests.support.rows import new_lease

HOLDERS = int(os.environ.get("COXSWAIN_BENCH_HOLDERS", "1000"))
HANDOVERS = int(os.environ.get("COXSWAIN_BENCH_HANDOVERS", "10000"))
AT_ONCE = 16
RENEWALS = 3
NAMES = [f"l{number:05}" for number in range(HOLDERS)]
ME = LeaseHolder.of_user("local", None)
Call = Callable[[str], Awaitable[Any]]


@dataclass
class Arm:
    """What one way came to: calls per second, and how long a call took at the 99th percentile, ms."""

    seconds: dict[str, float] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    times: dict[str, list[float]] = field(default_factory=dict)

    def rate(self, deed: str) -> float:
        return self.calls[deed] / self.seconds[deed] if deed in self.calls else float("nan")

    def p99(self, deed: str) -> float:
        times = sorted(self.times.get(deed, []))
        return 1000 * times[int(len(times) * 0.99) - 1] if times else float("nan")

    async def each(self, deed: str, call: Call, rounds: int = 1) -> None:
        """Call for every name, so many at once."""
        waiting = iter(NAMES * rounds)
        times = self.times.setdefault(deed, [])

        async def works() -> None:
            for name in waiting:
                began = time.perf_counter()
                await call(name)
                times.append(time.perf_counter() - began)

        began = time.perf_counter()
        await asyncio.gather(*(works() for _ in range(AT_ONCE)))
        self._count(deed, HOLDERS * rounds, time.perf_counter() - began)

    async def whole(self, deed: str, call: Callable[[], Awaitable[Any]], rounds: int) -> None:
        """Call for all names at once."""
        began = time.perf_counter()
        for _ in range(rounds):
            await call()
        self._count(deed, HOLDERS * rounds, time.perf_counter() - began)

    def _count(self, deed: str, calls: int, seconds: float) -> None:
        self.calls[deed] = self.calls.get(deed, 0) + calls
        self.seconds[deed] = self.seconds.get(deed, 0.0) + seconds


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """An API server and etcd of their own."""
    with ControlPlane(tmp_path_factory.mktemp("bench")) as started:
        asyncio.run(apiserver.install_kinds(started.kubeconfig))
        yield started


async def test_a_thousand_holders(
    plane: ControlPlane, client: Client, database: Database, tmp_path: Path
) -> None:
    namespace = await apiserver.onboard(client, "leases")
    arms = {each: Arm() for each in ("store", "api", "coordination", "etcd")}
    await _define(database)
    async with (
        _sidecar(database, tmp_path, plane) as http,
        postgres.opened(database.sidecar, connections=AT_ONCE) as store,
    ):
        deeds: dict[str, Callable[[Arm], Awaitable[None]]] = {
            "store": lambda arm: _in_the_store(arm, store),
            "api": lambda arm: _through_the_api(arm, http),
            "coordination": lambda arm: _as_coordination_leases(arm, client, namespace),
            "etcd": lambda arm: _in_etcd(arm, plane.etcd_url),
        }
        for each in (*deeds, *reversed(deeds)):
            await deeds[each](arms[each])
    _print(arms)


async def test_ten_thousand_handovers(database: Database) -> None:
    async with (
        postgres.opened(database.operator) as operator,
        postgres.opened(database.sidecar, connections=12) as sidecar,
    ):
        began = time.monotonic()
        history = await Contest(Leases(operator, sidecar), wanted=HANDOVERS).run()
    print(f"\n{HANDOVERS} hand-overs in {time.monotonic() - began:.0f} s: {history}")
    assert (history.double_tokens, history.stale_writes) == (0, 0)


async def _define(database: Database) -> None:
    async with postgres.opened(database.operator) as operator:
        for name in NAMES:
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
        found = await store.run(holding.renew, [held(name) for name in NAMES])
        assert sum(isinstance(each, Lease) for each in found) == HOLDERS

    async def acquire_all() -> None:
        wanted = [Wanted("team", name, ME, ME.text) for name in NAMES]
        found = await store.transact(holding.acquire_all, wanted)
        token.update((each.name, each.token) for each in found if isinstance(each, Lease))

    async def release_all() -> None:
        await store.transact(holding.release_all, [(held(name), ME.text) for name in NAMES])

    await arm.each("acquire", acquire)
    await arm.each("renew", lambda name: desk.renew(held(name)), RENEWALS)
    await arm.each("release", lambda name: desk.release(held(name), ME.text))
    await arm.whole("acquire, batch", acquire_all, 1)
    await arm.whole("renew, batch", renew_all, 10)
    await arm.whole("release, batch", release_all, 1)


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
        wanted = [{"name": name, "token": token[name]} for name in NAMES]
        found = await post("lease-renewals", {"renewals": wanted})
        assert len(found["renewed"]) == HOLDERS

    await arm.each("acquire", acquire)
    await arm.each("renew", lambda n: post(f"leases/{n}/renew", {"token": token[n]}), RENEWALS)
    await arm.whole("renew, batch", renew_all, 10)
    await arm.each("release", lambda name: post(f"leases/{name}/release", {"token": token[name]}))


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

    await arm.each("acquire", acquire)
    await arm.each("renew", renew, RENEWALS)
    await arm.each("release", release)


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

        await arm.each("acquire", acquire)
        await arm.each("renew", lambda n: post("/v3/lease/keepalive", {"ID": lease[n]}), RENEWALS)
        await arm.each("release", lambda n: post("/v3/lease/revoke", {"ID": lease[n]}))


@asynccontextmanager
async def _sidecar(
    database: Database, folder: Path, plane: ControlPlane
) -> AsyncIterator[aiohttp.ClientSession]:
    """The API as a process of its own, with one client."""
    token, port = folder / "token", children.free_port()
    token.write_text("a-local-token-of-the-bench")
    given = {
        "COXSWAIN_DATABASE_DSN": database.sidecar,
        "COXSWAIN_DATABASE_POOL": str(AT_ONCE),
        "COXSWAIN_INSTALLATION": "bench",
        "COXSWAIN_BIND": "127.0.0.1",
        "COXSWAIN_PORT": str(port),
        "COXSWAIN_HEALTH_PORT": str(children.free_port()),
        "COXSWAIN_LOCAL_TOKEN_FILE": str(token),
        "COXSWAIN_KUBECONFIG": str(plane.kubeconfig),
    }
    known = {"Authorization": f"Bearer {token.read_text()}"}
    with _process(given, folder / "sidecar.log"):
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=known) as http:
            async with asyncio.timeout(60):
                while not await _answers(http):  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.2)
            yield http


@contextmanager
def _process(given: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as file:
        words = [sys.executable, "-m", "coxswain", "sidecar"]
        process = subprocess.Popen(words, env={**os.environ, **given}, stdout=file, stderr=file)
        try:
            yield
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


def _print(arms: dict[str, Arm]) -> None:
    deeds = ("acquire", "renew", "release", "acquire, batch", "renew, batch", "release, batch")
    print(f"\n{HOLDERS} holders, {AT_ONCE} calls at once, leases per second (p99 of a call, ms)\n")
    print(f"| | {' | '.join(deeds)} |\n|---|{'---|' * len(deeds)}")
    for name, arm in arms.items():
        cells = [f"{arm.rate(deed):,.0f} ({arm.p99(deed):.1f})" for deed in deeds]
        print(f"| {name} | {' | '.join(cells)} |".replace("nan (nan)", "-").replace(" (nan)", ""))
