"""Chaos for so many minutes, and what it left behind."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from coxswain.errors import CoxswainError
from coxswain.kube.client import Client
from devtools import console, release
from devtools.errors import ToolError
from devtools.kubectl import Kubectl
from devtools.node import settings
from tests.faults.chaos import acts, checks, choice, load, reading
from tests.faults.chaos.acts import ACTS, Idle, Place
from tests.faults.chaos.checks import Wanted
from tests.faults.chaos.node import Parts
from tests.faults.chaos.recording import KINDS, STREAMS, Record, recording
from tests.faults.chaos.verdict import Done, Verdict
from tests.faults.chaos.view import ENDED, phase_of
from tests.faults.history import ENDED as POD_ENDS
from tests.faults.history import History, attempt_of
from tests.support import database, onboarded
from tests.support.onboarded import JOBS, Workspace

ANSWER_SECONDS = 400.0
"""A container that was killed again and again is started again after five minutes at the latest."""
END_SECONDS = 400.0
QUIET_SECONDS = 10.0
CALM_SECONDS = (1.0, 4.0)
"""Between what was undone and the question whether all is well: the node has to notice it first."""
LOOK_SECONDS = 1.0
PROBE = "afterwards"
OURS = tuple(kind for kind in KINDS if kind != "Pod")


def run(kubectl: Kubectl, workspace: str, *, minutes: float, seed: int) -> Verdict:
    """Let things go wrong in an onboarded workspace, and judge it. It is empty before and after.

    The same seed gives the same acts in the same order; whom they hit is drawn from who is there.
    """
    parts = Parts.prepared()
    parts.mend()
    load.tear_down(Workspace(kubectl, workspace))
    with onboarded.cleared(kubectl, workspace) as emptied:
        return asyncio.run(_Storm(emptied, parts, minutes * 60, seed).run())


@dataclass
class _Storm:
    """A run under way."""

    workspace: Workspace
    parts: Parts
    seconds: float
    seed: int
    done: list[Done] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        began = time.monotonic()
        self.record = Record(lambda: time.monotonic() - began)
        self.order = Random(self.seed)  # noqa: S311 - the same acts in every run
        # Of its own: who is there must not change what comes next.
        self.random = Random(f"{self.seed} victims")  # noqa: S311
        self.load = load.Load(self.workspace, self.record.view)

    @property
    def kubectl(self) -> Kubectl:
        return self.workspace.kubectl

    async def run(self) -> Verdict:
        client = await Client.connect(self.kubectl.kubeconfig, streams=STREAMS)
        try:
            await self._answered("the beginning")
            began = await asyncio.to_thread(reading.head, self.kubectl)
            async with recording(client, self.workspace.name, self.record):
                await asyncio.to_thread(self.load.set_up, self.seconds)
                await self._rage()
                await self._settle()
                ledger = await self._ledger()
                await self._settle()
                quiet_from = self.record.clock()
                await asyncio.sleep(QUIET_SECONDS)
                quiet = (quiet_from, self.record.clock())
                left = await self._left(ledger, began)
            return self._verdict(left, began, quiet)
        finally:
            load.tear_down(self.workspace)
            await client.close()

    async def _ledger(self) -> str:
        """The Job that has printed what the agents wrote down; nothing where none has."""
        try:
            return await asyncio.to_thread(self.load.read_ledger)
        except ToolError as error:
            self.silent.append(f"the agents' own ledger was not read: {error}")
            return ""

    async def _left(self, ledger: str, began: int) -> reading.Left:
        """What was left behind. What cannot be read is a breach, and the story is told all the same."""
        try:
            return await asyncio.to_thread(
                reading.left, self.kubectl, self.workspace.name, ledger, began
            )
        except (ToolError, OSError, CoxswainError) as error:
            self.silent.append(f"the records were not read: {error!r}")
            return reading.NOTHING

    async def _rage(self) -> None:
        """One act after the other while work goes on."""
        place = Place(self.workspace, self.parts, self.record.view, self.load, self.stop)
        names = choice.rounds(self.order, list(ACTS))
        until = self.record.clock() + self.seconds
        over = asyncio.Event()
        working = asyncio.create_task(self.load.keep_up(over))
        try:
            # Work that ends by itself has met what is no fault of the platform's: it is raised below.
            while self.record.clock() < until and not working.done():
                await self._act(next(names), place)
        finally:
            over.set()
            await working

    async def _act(self, name: str, place: Place) -> None:
        at = self.record.clock()
        try:
            whom = await self._performed(name, place)
        except Idle as error:
            self._tell(Done(at, name, idle=str(error)))
            return
        undone = self.record.clock()
        await asyncio.sleep(self.random.uniform(*CALM_SECONDS))
        after = None
        if await self._answered(name):
            after = self.record.clock() - undone
        self._tell(Done(at, name, whom, answered_after=after))

    def _tell(self, done: Done) -> None:
        self.done.append(done)
        console.say(f"  {done.at:7.1f}  {done}")

    async def _performed(self, name: str, place: Place) -> str:
        """In a thread of its own; whatever ends us waits until it is undone."""
        doing = asyncio.create_task(asyncio.to_thread(acts.perform, ACTS[name], place, self.random))
        try:
            return await asyncio.shield(doing)
        except asyncio.CancelledError:
            self.stop.set()
            await asyncio.gather(doing, return_exceptions=True)
            raise

    async def _answered(self, since: str) -> bool:
        """Wait until the node and every pod of the platform are well, the records answer, and somebody leads."""
        for what, pending in (("the platform", self._pending), ("a leader", self._unseen)):
            left = await _nothing(pending, ANSWER_SECONDS)
            if left:
                self.silent.append(f"{what} did not answer after {since}: {left}")
                return False
        return True

    async def _pending(self) -> str:
        return await asyncio.to_thread(_why_not, self.kubectl)

    async def _unseen(self) -> str:
        """A Job that nobody can start has to be looked at and recorded; then it is taken away."""
        if not await asyncio.to_thread(self._probe):
            return "a further Job to be looked at"
        await asyncio.to_thread(
            self.workspace.run, "delete", JOBS, PROBE, "--ignore-not-found", "--wait=true"
        )
        return ""

    def _probe(self) -> bool:
        try:
            self.workspace.command(PROBE, "nobody", "true")
            made = self.workspace.get(JOBS, PROBE)
            stored = reading.mirrored(self.kubectl, self.workspace.name)
            metadata = made["metadata"]
            is_recorded = stored.get(metadata["uid"]) == metadata["resourceVersion"]
            return is_recorded and bool(phase_of(made))
        except ToolError:
            return False

    async def _settle(self) -> None:
        """Wait until every Job has ended, pods are gone with their Jobs, and the records say the same."""
        for pending in (self._open, self._pending, self._unrecorded):
            if left := await _nothing(pending, END_SECONDS):
                self.silent.append(f"it has not come to its end: {left}")

    async def _open(self) -> str:
        view = self.record.view
        jobs = {each["metadata"]["uid"] for each in view.of_kind("Job")}
        owners = (attempt_of(pod) for pod in view.of_kind("Pod"))
        orphans = [owner[0] for owner in owners if owner is not None and owner[0] not in jobs]
        going = view.jobs(lambda phase: phase not in ENDED)
        schedules = [each for each in view.of_kind("Schedule") if phase_of(each) != "Complete"]
        names = [each["metadata"]["name"] for each in (*going, *schedules)]
        live = [each for each in view.of_kind("Pod") if phase_of(each) not in POD_ENDS]
        names += [each["metadata"]["name"] for each in live]
        return ", ".join([*names, *(f"a pod of {each}" for each in orphans)])

    async def _unrecorded(self) -> str:
        try:
            stored = await asyncio.to_thread(reading.mirrored, self.kubectl, self.workspace.name)
        except ToolError as error:
            return str(error)
        metadata = [each["metadata"] for kind in OURS for each in self.record.view.of_kind(kind)]
        live = {each["uid"]: each["resourceVersion"] for each in metadata}
        return "" if stored == live else "the records to hold what the cluster holds"

    def _verdict(self, left: reading.Left, began: int, quiet: tuple[float, float]) -> Verdict:
        history = History(
            changes=self.record.changes(), events=left.events, effects=left.effects, runs=left.runs
        )
        wanted = Wanted(
            jobs=tuple(self.load.made),
            first=self.load.first,
            last=self.load.last,
            step=load.STEP,
            ticks=left.ticks,
            log=left.log,
            began=began,
            noted=tuple(self.record.noted),
            holes=tuple(self.record.holes),
            quiet=quiet,
            silent=tuple(self.silent),
        )
        counts = {
            "Jobs": len({each.uid for each in history.of_kind("Job")}),
            "pods": len({each.uid for each in history.of_kind("Pod")}),
            "ticks": sum(each.count for each in left.ticks),
            "tokens of the Lease": _hand_overs(history),
            "lines of the agents' own ledger": len(left.effects),
            "revisions": len(history.changes),
            "events": len(left.events),
        }
        judged = checks.judged(history, wanted)
        return Verdict(self.seed, tuple(self.done), judged, tuple(self.record.noted), counts)


def _hand_overs(history: History) -> int:
    tokens = (
        (each.after or {}).get("status", {}).get("token") for each in history.of_kind("Lease")
    )
    return len({each for each in tokens if each})


def _why_not(kubectl: Kubectl) -> str:
    """What is not as it should be; empty when all is."""
    with contextlib.suppress(ToolError):
        status: dict[str, Any] = kubectl.json("get", "node", settings.NAME)["status"]
        ready = {each["type"]: each["status"] for each in status["conditions"]}
        if ready.get("Ready") != "True":
            return "the node to be ready"
        if waiting := release.waiting(kubectl):
            return ", ".join(waiting)
        if database.value(kubectl, "SELECT 1") == "1":
            return ""
    return "Postgres and the API server to answer"


async def _nothing(pending: Callable[[], Awaitable[str]], seconds: float) -> str:
    """Wait until nothing is pending; what still is after so long."""
    until = time.monotonic() + seconds
    while left := await pending():
        if time.monotonic() > until:
            return left
        await asyncio.sleep(LOOK_SECONDS)
    return ""
