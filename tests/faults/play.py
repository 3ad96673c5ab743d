"""One plan, played on the real thing, and read back."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from coxswain.api.records import Run
from coxswain.errors import CoxswainError
from coxswain.store import events, runs
from coxswain.store.events import StoredEvent
from coxswain.store.pool import Connection
from devtools import children
from tests.faults import callers, settling, workloads
from tests.faults.agents import Agents
from tests.faults.bed import Bed
from tests.faults.callers import Api, Notebook
from tests.faults.director import Director
from tests.faults.history import Change, History
from tests.faults.house import House
from tests.faults.invariants import tokens_grow
from tests.faults.plan import Plan
from tests.faults.proxy.seen import Trace
from tests.faults.replicas import Replicas
from tests.faults.servers import Servers
from tests.faults.verdict import Verdict
from tests.faults.workload import Workload
from tests.support import apiserver, leader, postgres, revisions
from tests.support.kubelet import Kubelet
from tests.support.leader import HOME, Installation
from tests.support.patient import PatientClient
from tests.support.pods import FakePod
from tests.support.postgres import Database
from tests.support.workspace import Ledger, Workspace

NAMES = ("one", "two")
PATIENCE = 3600.0
"""Of every wait of a workload: the plan's own time is what ends it."""
STILL_SECONDS = 1.0
"""What is written about what has come to its end comes within it."""
WORK_SECONDS = 60.0
"""How long a Job that is made at the very end may be without a status."""


@dataclass
class Stage:
    """What a plan is played on."""

    workspace: Workspace
    ledger: Ledger
    kubelet: Kubelet
    agents: Agents
    api: Api
    installation: Installation
    database: Database
    operators: Replicas = field(init=False)


def play(bed: Bed, plan: Plan, workload: Workload | None = None) -> Verdict:
    """Play a plan on a workspace and a database of its own, and judge what it left behind.

    Its workload is found by its name, unless it is given.
    """
    workload = workload or workloads.named(plan.workload)
    database = bed.postgres.create(migrated=workload.revision is None)
    try:
        if workload.revision is not None:
            asyncio.run(revisions.bring(database.owner, workload.revision))
        with tempfile.TemporaryDirectory(prefix="cx-faults-") as folder:
            return asyncio.run(_Playing(bed, database, plan, workload, Path(folder)).run())
    finally:
        bed.postgres.drop(database)


@dataclass
class _Playing:
    """A plan under way."""

    bed: Bed
    database: Database
    plan: Plan
    workload: Workload
    folder: Path
    trace: Trace = field(default_factory=Trace)
    api_port: int = field(default_factory=children.free_port)

    async def run(self) -> Verdict:
        began = await self.bed.etcd.revision()
        director = Director(self.plan.faults, self.trace.now)
        servers = Servers(self.bed.installation.plane)
        house = House(self.bed, self.database, director, self.trace, servers).running(
            NAMES[: max(self.plan.replicas, self.workload.replicas)],
            self.workload.settings,
            self.api_port if self.workload.has_sidecar else None,
        )
        async with self._stage() as stage, servers, house as running:
            stage.operators = running
            could_end_at = self.trace.now() + self.workload.waits
            problem, settled_at = await self._to_the_end(stage, director)
            # What has found nothing to come true at by now is no part of this workload.
            director.heal()
            await servers.whole()
            if not problem:
                await asyncio.sleep(self.plan.quiet_seconds)
            history = await self._history(stage, began, settled_at)
            problem = problem or await self._still_works(stage)
            return Verdict(
                plan=self.plan,
                history=history,
                trace=self.trace,
                ends=self.workload.ends,
                fired=tuple(director.fired),
                waiting=tuple(director.waiting),
                restarts=tuple(running.restarts),
                problem=problem or _raised(stage.kubelet),
                seconds=max(0.0, settled_at - max(director.last_at, could_end_at)),
                logs=running.logs(),
            )

    @asynccontextmanager
    async def _stage(self) -> AsyncIterator[Stage]:
        client = await PatientClient.connect(self.bed.installation.plane.kubeconfig)
        try:
            namespace = await apiserver.onboard(client, apiserver.a_name())
            async with (
                leader.onboarded(client, self.bed.installation, namespace),
                postgres.opened(self.database.sidecar) as store,
            ):
                notebook = Notebook(self.folder / "heard", self.trace.now)
                url = f"http://{callers.HERE}:{self.api_port}"
                api = Api(url, self.folder, notebook)
                agents = Agents(Ledger(store), self.folder / "effects", api)

                async def script(pod: FakePod) -> None:
                    await self.workload.script(agents, pod)

                async with Kubelet(client, script, namespace=namespace) as kubelet:
                    workspace = Workspace(client, namespace, PATIENCE)
                    installation = self.bed.installation
                    yield Stage(
                        workspace, Ledger(store), kubelet, agents, api, installation, self.database
                    )
        finally:
            await client.close()

    async def _to_the_end(self, stage: Stage, director: Director) -> tuple[str, float]:
        """Play, and wait for the end; what went wrong with that, or nothing, and when it was."""
        problem = ""
        try:
            async with asyncio.timeout(self.plan.seconds):
                await self.workload.play(stage)
                settled_at = await self._settled(stage)
                while (left := director.last_at - self.trace.now()) > 0:
                    # Somebody is frozen, or waits for what is delayed.
                    await asyncio.sleep(left)
                    settled_at = await self._settled(stage)
                return "", settled_at
        except TimeoutError:
            problem = f"it has not come to its end after {self.plan.seconds:g} s"
        except (AssertionError, CoxswainError) as error:
            problem = f"the workload: {error}"
        return problem, self.trace.now()

    async def _settled(self, stage: Stage) -> float:
        """Wait until the records hold what the cluster holds, and nobody writes for a moment; when."""
        while True:
            await settling.until_settled(stage.workspace, stage.ledger.store)
            at, written = self.trace.now(), len(self.trace.writes())
            await asyncio.sleep(STILL_SECONDS)
            if len(self.trace.writes()) == written:
                return at

    async def _still_works(self, stage: Stage) -> str:
        """Whoever leads at the end has to do some work: to be alive and deaf is not enough."""
        await stage.workspace.has_job("afterwards", "nobody")
        try:
            async with asyncio.timeout(WORK_SECONDS):
                await stage.workspace.until(lambda job: job.status.phase is not None, "afterwards")
        except TimeoutError:
            return f"nobody looked at a further Job within {WORK_SECONDS:g} s"
        return ""

    async def _history(self, stage: Stage, began: int, settled_at: float) -> History:
        changes = await self.bed.etcd.changes(began, await self.bed.etcd.revision())
        return History(
            changes=tuple(each for each in changes if _belongs(each, stage.workspace.namespace)),
            events=tuple(await stage.ledger.store.run(_log)),
            effects=tuple(stage.agents.effects()),
            runs=tuple(await stage.ledger.store.run(_rows)),
            exchanges=tuple(self.trace.exchanges),
            heard=tuple(stage.api.notebook.heard()),
            quiet_from=settled_at,
            read_at=self.trace.now(),
        )


def _belongs(change: Change, namespace: str) -> bool:
    if change.namespace == HOME:
        return change.kind == tokens_grow.ELECTION
    return change.namespace == namespace


def _raised(kubelet: Kubelet) -> str:
    return "; ".join(f"a pod's script: {each!r}" for each in kubelet.faults)


async def _log(connection: Connection) -> list[StoredEvent]:
    found: list[StoredEvent] = []
    position = 0
    while True:
        page = await events.after(connection, position)
        found.extend(page.events)
        position = page.next
        if not page.more:
            return found


async def _rows(connection: Connection) -> list[Run]:
    return [runs.stored(row) for row in await connection.fetch("SELECT * FROM runs")]
