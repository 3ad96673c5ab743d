"""The records behind the loop: run rows, the mirror of objects, and the events of their edges.

Everything is written under the epoch of this leader. Requests that come together go together.
What is to be published waits in memory until Postgres has it; after a restart the comparison of
mirror and live finds what is missing, and derived ids make a repeat harmless.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Concatenate, ParamSpec, TypeVar
from uuid import UUID

import structlog

from coxswain.api.conditions import ConditionType, Seen
from coxswain.errors import CoxswainError, FencedError, UnavailableError
from coxswain.reconcile.actions import KeepLog
from coxswain.reconcile.batches import Batches
from coxswain.reconcile.cache import Raw
from coxswain.store import enforcement, events, leadership, mirror, runs, verdicts, wakes
from coxswain.store.enforcement import Finding
from coxswain.store.events import Event
from coxswain.store.mirror import ObjectRow
from coxswain.store.pool import Connection, Store
from coxswain.store.runs import NewRun, Run, RunKey
from coxswain.store.verdicts import Verdict
from coxswain.store.wakes import Wake
from coxswain.telemetry import metrics

log = structlog.get_logger()

BATCH = 200
RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 15.0
ACTOR = "operator"

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Publication:
    kind: str
    raw: Raw
    events: Callable[[], Sequence[Event]]
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class _Recorded:
    """What Postgres holds of an object: its version, and the events that this process sent."""

    version: str
    sent: frozenset[UUID]


class Records:
    """Postgres as the leader uses it."""

    def __init__(self, store: Store, holder: str, on_recorded: Callable[[str, Raw], None]) -> None:
        self._store = store
        self._holder = holder
        self._on_recorded = on_recorded
        self._epoch = 0
        self._is_taken = False
        self._error: str | None = "Postgres was not asked yet"
        self._pending: dict[str, _Publication] = {}
        self._filled = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._recorded: dict[str, _Recorded] = {}
        self._states: Batches[RunKey, Run | None] = Batches(self._ask_states, BATCH)
        self._opening: Batches[NewRun, Run | CoxswainError] = Batches(self._open_runs, BATCH)
        self._closing: Batches[tuple[RunKey, str], bool] = Batches(self._close_runs, BATCH)

    def begin(self, epoch: int) -> None:
        """Lead with that epoch from now on; the database is told by ``take``."""
        self._epoch = epoch
        self._is_taken = False

    async def take(self) -> int:
        """Claim the epoch in the database; returns the standing one if ours is not newer."""
        try:
            await self._store.transact(leadership.take, self._epoch, self._holder)
        except FencedError:
            return (await self._store.run(leadership.current)).epoch
        self._is_taken = True
        return 0

    @property
    def is_taken(self) -> bool:
        """Whether the database knows us as the leader."""
        return self._is_taken

    def condition(self) -> Seen:
        """The condition RecordsAvailable as it is now."""
        if self._error is None:
            return Seen(ConditionType.RECORDS_AVAILABLE, "True", "Available")
        return Seen(ConditionType.RECORDS_AVAILABLE, "False", "Unavailable", self._error)

    async def run_state(self, run: RunKey) -> Run | None:
        """The row of an attempt. Raises UnavailableError while Postgres is away."""
        return await self._states.ask(run)

    async def open_run(self, new: NewRun) -> Run:
        """Write the row of an attempt, or return the one that stands."""
        answer = await self._opening.ask(new)
        if isinstance(answer, CoxswainError):
            raise answer
        return answer

    async def close_run(self, run: RunKey, reason: str) -> None:
        """End a run; the first reason stays."""
        await self._closing.ask((run, reason))

    async def verdict(self, agent_uid: str) -> Verdict | None:
        """The model gateway's word on an Agent. Raises UnavailableError while Postgres is away."""
        return (await self._store.run(verdicts.of, [agent_uid])).get(agent_uid)

    async def enforcement(self, workspace: str, version: str) -> Finding | None:
        """What is known of a workspace's network."""
        return await self._store.run(enforcement.of, workspace, version)

    async def keep_enforcement(self, finding: Finding) -> None:
        """Keep what a probe found."""
        await self._fenced(enforcement.keep, finding)

    async def mirrored(self, kind: str) -> dict[str, str]:
        """Version by uid of what the mirror takes for living."""
        return await self._store.run(mirror.live, kind)

    async def last_form(self, uid: str) -> Raw | None:
        """An object as the mirror last saw it."""
        row = await self._store.run(mirror.by_uid, uid)
        return None if row is None else row.body

    async def deleted(self, kind: str) -> dict[tuple[str, str], datetime]:
        """When the last object of each workspace and name was deleted."""
        return await self._store.run(mirror.last_deleted, kind)

    async def wakes(self) -> tuple[Wake, ...]:
        """Reasons that other processes left to look at an object."""
        return await self._store.run(wakes.unhandled)

    async def woken(self, seen: Sequence[Wake]) -> None:
        """These reasons are in the queue."""
        await self._store.run(wakes.handled, seen)

    async def keep_output(self, source: KeepLog, text: str) -> None:
        """Record the log of a pod that spoke to nobody as its output."""
        event = Event(
            id=events.derived_id(source.job_uid, source.attempt, "pod.log", source.at),
            type="run.output",
            actor=ACTOR,
            workspace=source.namespace,
            kind="Job",
            name=source.job_name,
            uid=source.job_uid,
            attempt=source.attempt,
            details={"stream": "stdout", "text": text, "source": "pod"},
        )
        await self._fenced(events.append, [event])

    def publish(self, kind: str, raw: Raw, made: Callable[[], Sequence[Event]]) -> None:
        """Have the mirror row and the events of an object written; the newest form wins."""
        uid = raw["metadata"]["uid"]
        known = self._recorded.get(uid)
        if known is not None and known.version == raw["metadata"]["resourceVersion"]:
            return
        self._line_up(uid, _Publication(kind, raw, made))

    def vanished(self, kind: str, raw: Raw, made: Callable[[], Sequence[Event]]) -> None:
        """Have it recorded that an object is gone, and its runs closed."""
        self._line_up(raw["metadata"]["uid"], _Publication(kind, raw, made, is_gone=True))

    def is_recorded(self, raw: Raw) -> bool:
        """Whether Postgres holds this very form of the object."""
        metadata = raw["metadata"]
        known = self._recorded.get(metadata["uid"])
        return known is not None and known.version == metadata["resourceVersion"]

    def remember(self, uid: str, version: str) -> None:
        """The mirror was read: it holds that form, events included."""
        self._recorded.setdefault(uid, _Recorded(version, frozenset()))

    async def run(self) -> None:
        """Write what is lined up, in batches, until cancelled; wait while Postgres is away."""
        delay = RETRY_SECONDS
        while True:
            await self._filled.wait()
            batch = dict(list(self._pending.items())[:BATCH])
            try:
                await self._write(batch)
            except FencedError:
                raise
            except CoxswainError as error:
                self._note(error)
                await asyncio.sleep(delay)
                delay = min(LONGEST_RETRY_SECONDS, delay * 2)
                continue
            delay = RETRY_SECONDS
            self._settle(batch)

    async def drain(self, seconds: float) -> bool:
        """Wait until everything lined up is written, at most so long; tell whether it is."""
        try:
            async with asyncio.timeout(seconds):
                await self._drained.wait()
        except TimeoutError:
            return False
        return True

    async def check(self) -> None:
        """Ask Postgres whether it answers, for the condition. Never raises but FencedError."""
        try:
            await self._fenced(leadership.current)
        except FencedError:
            raise
        except CoxswainError as error:
            self._note(error)

    def _line_up(self, uid: str, publication: _Publication) -> None:
        waiting = self._pending.get(uid)
        if waiting is not None and waiting.is_gone:
            return
        self._pending[uid] = publication
        metrics.RECORDS_WAITING.set(len(self._pending))
        self._filled.set()
        self._drained.clear()

    async def _write(self, batch: dict[str, _Publication]) -> None:
        fresh: list[Event] = []
        for uid, each in batch.items():
            sent = self._recorded[uid].sent if uid in self._recorded else frozenset()
            fresh.extend(event for event in each.events() if event.id not in sent)
        rows = [row_of(each.kind, each.raw) for each in batch.values()]
        gone = [uid for uid, each in batch.items() if each.is_gone]
        await self._fenced(_publish_all, rows, gone, fresh)

    def _settle(self, batch: dict[str, _Publication]) -> None:
        for uid, each in batch.items():
            if self._pending.get(uid) is each:
                del self._pending[uid]
            version = each.raw["metadata"]["resourceVersion"]
            self._recorded[uid] = _Recorded(version, frozenset(e.id for e in each.events()))
            if each.is_gone:
                del self._recorded[uid]
            self._on_recorded(each.kind, each.raw)
        metrics.RECORDS_WAITING.set(len(self._pending))
        if not self._pending:
            self._filled.clear()
            self._drained.set()

    async def _fenced(
        self,
        operation: Callable[Concatenate[Connection, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        if not self._is_taken:
            raise UnavailableError("this leader is not yet known to the database")
        answer = await leadership.fenced(self._store, self._epoch, operation, *args, **kwargs)
        self._error = None
        return answer

    def _note(self, error: CoxswainError) -> None:
        if self._error is None:
            log.warning("records unavailable", error=error.message, code=error.code)
        self._error = error.message

    async def _ask_states(self, keys: Sequence[RunKey]) -> list[Run | None]:
        try:
            found = await self._store.run(runs.states, keys)
        except CoxswainError as error:
            self._note(error)
            raise
        return [found.get(key) for key in keys]

    async def _open_runs(self, batch: Sequence[NewRun]) -> Sequence[Run | CoxswainError]:
        return await self._fenced(_open_all, batch)

    async def _close_runs(self, batch: Sequence[tuple[RunKey, str]]) -> Sequence[bool]:
        return await self._fenced(_close_all, batch)


async def _open_all(connection: Connection, batch: Sequence[NewRun]) -> list[Run | CoxswainError]:
    answers: list[Run | CoxswainError] = []
    for new in batch:
        try:
            answers.append(await runs.open_run(connection, new))
        except CoxswainError as error:
            answers.append(error)
    return answers


async def _close_all(connection: Connection, batch: Sequence[tuple[RunKey, str]]) -> list[bool]:
    return [await runs.close_run(connection, run, reason) for run, reason in batch]


async def _publish_all(
    connection: Connection, rows: Sequence[ObjectRow], gone: Sequence[str], fresh: Sequence[Event]
) -> None:
    await mirror.write(connection, rows, ())
    await mirror.mark_deleted(connection, gone, ())
    if fresh:
        await events.append(connection, fresh)


def row_of(kind: str, raw: Raw) -> ObjectRow:
    """An object as the mirror keeps it."""
    metadata = raw["metadata"]
    return ObjectRow(
        uid=metadata["uid"],
        kind=kind,
        workspace=metadata["namespace"],
        name=metadata["name"],
        generation=int(metadata.get("generation", 0)),
        resource_version=metadata["resourceVersion"],
        phase=str((raw.get("status") or {}).get("phase") or ""),
        created_at=datetime.fromisoformat(metadata["creationTimestamp"]),
        body=dict(raw),
    )
