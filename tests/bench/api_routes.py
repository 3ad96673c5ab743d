"""The ten routes that are called most, and who calls them: pods, and programs of people."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import uuid4

from coxswain.api.contract import EventBatch
from coxswain.store import mirror, runs, uuid7
from coxswain.store.claims import Pod
from coxswain.store.leases import keeping
from tests.bench import http_line, ingest, ingest_process
from tests.bench.http_line import Line
from tests.support import postgres, rows, sidecar_api
from tests.support.postgres import Database
from tests.support.sidecar_process import TOKEN
from tests.support.tokens import SigningCluster

EVENTS_OF_A_POD = 10
# The longest that there may be: in a soak everybody renews.
LEASE_SECONDS = 86_400
USER = {"Authorization": f"Bearer {TOKEN}"}
WORKSPACE = "/v1/workspaces/team"


@dataclass
class Caller:
    """A connection, the pod whose run it tells of, and the lease that it holds."""

    number: int
    run: str
    token: str
    line: Line | None = None
    fence: int = 0
    _seqs: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def lease(self) -> str:
        """The name of its lease."""
        return f"lease-{self.number}"

    async def connect(self, url: str) -> None:
        """Claim the run, and acquire the lease."""
        self.line = await Line.open(url)
        await self.ask(claim(self))
        path = f"{WORKSPACE}/leases/{self.lease}/acquire"
        self.fence = json.loads(await self.ask(_post(path, {}, USER)))["token"]

    async def ask(self, request: bytes) -> bytes:
        """The body of an answer. Raises AssertionError where it is a refusal."""
        assert self.line is not None
        answer = await self.line.ask(request)
        assert 200 <= answer.status < 300, (request, answer)
        return answer.body

    def close(self) -> None:
        """Go away."""
        if self.line is not None:
            self.line.close()

    @property
    def known(self) -> dict[str, str]:
        """The headers of its pod."""
        return {"Authorization": f"Bearer {self.token}"}

    def events(self) -> bytes:
        """The next ones of its run."""
        found = ingest_process.run_events([EVENTS_OF_A_POD])[0]
        numbered = [each.model_copy(update={"seq": next(self._seqs)}) for each in found]
        text = EventBatch(events=numbered).model_dump_json(by_alias=True, exclude_none=True)
        return http_line.request("POST", "/v1/run/events", self.known, text.encode())


def claim(caller: Caller) -> bytes:
    """What a pod asks first; the same again is harmless."""
    return _post("/v1/run/claim", {"run": caller.run}, caller.known)


def heartbeat(caller: Caller) -> bytes:
    """What a pod asks all the time."""
    return _post("/v1/run/heartbeat", {}, caller.known)


def renew(caller: Caller) -> bytes:
    """What the holder of a lease asks all the time."""
    return _post(f"{WORKSPACE}/leases/{caller.lease}/renew", {"token": caller.fence}, USER)


def event(_caller: Caller) -> bytes:
    """One event of a person's program."""
    one = {"id": str(uuid7.new(datetime.now(UTC))), "type": "user.note", "workspace": "team"}
    return _post("/v1/events", {"events": [one]}, USER)


def _post(path: str, body: dict[str, Any], headers: dict[str, str]) -> bytes:
    return http_line.request("POST", path, headers, json.dumps(body).encode())


def get(path: str) -> Callable[[Caller], bytes]:
    """A reading of a person's program."""
    request = http_line.request("GET", path, USER)
    return lambda _caller: request


ROUTES: dict[str, Callable[[Caller], bytes]] = {
    "POST run/heartbeat": heartbeat,
    f"POST run/events, {EVENTS_OF_A_POD}": Caller.events,
    "POST run/claim": claim,
    "POST leases/NAME/renew": renew,
    "POST events, 1": event,
    "GET events, 100": get("/v1/events?after=0&limit=100"),
    "GET jobs, 100": get("/v1/jobs?limit=100"),
    "GET jobs/NAME": get(f"{WORKSPACE}/jobs/job-7"),
    "GET agents": get("/v1/agents"),
    "GET metrics": get("/v1/metrics"),
}


async def furnish(database: Database, callers: int, jobs: int) -> list[Caller]:
    """Jobs and an Agent in the mirror, a run and a lease for each caller; who they are."""
    cluster, found = SigningCluster(), []
    await ingest.publish(database, cluster)
    objects = [sidecar_api.object_row(f"job-{each}", phase="Succeeded") for each in range(jobs)]
    objects.append(sidecar_api.object_row("reader", kind="Agent", phase="Ready"))
    async with postgres.opened(database.operator) as operator:
        await operator.transact(mirror.write, objects, [])
        for number in range(callers):
            new = rows.new_run(pod_name=f"pod-{number}")
            await operator.transact(runs.open_run, new)
            lease = rows.new_lease(f"lease-{number}", ttl_seconds=LEASE_SECONDS)
            await operator.transact(keeping.define, lease)
            pod = Pod(new.workspace, new.service_account, new.pod_name, str(uuid4()))
            run = f"{new.key.job_uid}/{new.key.attempt}"
            found.append(Caller(number, run, cluster.token(pod)))
    return found
