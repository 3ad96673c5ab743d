"""The records behind the loop: run rows, verdicts, findings, wake-ups.

Everything is written under the epoch of this leader. Requests that come together go together.
"""

from collections.abc import Sequence
from datetime import datetime

from coxswain.api.conditions import Seen
from coxswain.api.event_types.run import RUN_OUTPUT, Output
from coxswain.api.records import Given, Lease, LeaseHolder, WantedLease
from coxswain.errors import ConflictError, CoxswainError
from coxswain.reconcile.actions import (
    DefineLease,
    FreeLeases,
    KeepLog,
    LeaseChange,
    LeaveLines,
    ReclaimLease,
    StandInLine,
)
from coxswain.reconcile.batches import Batches, each_alone, or_raise
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.fence import Fence
from coxswain.store import (
    approvals,
    ended_jobs,
    enforcement,
    events,
    idempotency,
    mirror,
    runs,
    verdicts,
    wakes,
)
from coxswain.store.enforcement import Finding
from coxswain.store.events import Event
from coxswain.store.idempotency import KeyHolder
from coxswain.store.leases import keeping, lines, of_runs
from coxswain.store.leases.lines import Ticket
from coxswain.store.runs import Closing, NewRun, Run, RunKey, Unmirrored
from coxswain.store.verdicts import Verdict
from coxswain.store.wakes import Wake

BATCH = 200
ACTOR = "operator"

Wanted = tuple[Sequence[str], LeaseHolder]
"""The names of leases, and who wants them."""


class Records:
    """Postgres as the leader's passes use it."""

    def __init__(self, fence: Fence, key_seconds: int) -> None:
        """``key_seconds`` says how long an idempotency key is kept."""
        self._fence = fence
        self._key_seconds = key_seconds
        self._store = fence.store
        self._states: Batches[RunKey, Run | CoxswainError | None]
        self._opening: Batches[NewRun, Run | CoxswainError]
        self._closing: Batches[Closing, bool | CoxswainError]
        self._states = Batches(each_alone(self._ask_states, fence.note), BATCH)
        self._opening = Batches(each_alone(self._open_runs, fence.note), BATCH)
        self._closing = Batches(each_alone(self._close_runs, fence.note), BATCH)

    def condition(self) -> Seen:
        """The condition RecordsAvailable as it is now."""
        return self._fence.condition()

    async def run_state(self, run: RunKey) -> Run | None:
        """The row of an attempt. Raises UnavailableError while Postgres is away."""
        return or_raise(await self._states.ask(run))

    async def open_run(self, new: NewRun) -> Run:
        """Write the row of an attempt, or return the one that stands."""
        return or_raise(await self._opening.ask(new))

    async def restore_run(self, new: NewRun, token: int, pod_uid: str) -> None:
        """Write the lost row of a live pod again."""
        await self._fence.write(runs.rewrite, new, token=token, pod_uid=pod_uid)

    async def key_holder(self, workspace: str, key: str) -> KeyHolder | None:
        """Who holds an idempotency key. Raises UnavailableError while Postgres is away."""
        return await self._store.run(idempotency.of, workspace, key)

    async def register_key(self, wanted: KeyHolder) -> KeyHolder:
        """Take a key for a Job that is there, or return who holds it."""
        return await self._fence.write(idempotency.register, wanted, self._key_seconds)

    async def close_run(self, closing: Closing) -> bool:
        """End a run; the first reason stays. False: a result stands that was not known."""
        return or_raise(await self._closing.ask(closing))

    async def ask_to_end(self, run: RunKey) -> None:
        """Have the pod told by its next heartbeat that it should end."""
        await self._fence.write(runs.request_cancel, run)

    async def lease(
        self, workspace: str, name: str, resource: str | None
    ) -> tuple[Lease | None, str | None]:
        """The row under that name, and another Lease that stands for the resource."""
        return await self._store.run(keeping.standing, (workspace, name), resource)

    async def wanted_leases(self, workspace: str, wanted: Wanted) -> tuple[WantedLease, ...]:
        """The leases that a Job wants. Raises UnavailableError while Postgres is away."""
        names, holder = wanted
        return await self._store.run(of_runs.wanted, workspace, names, holder)

    async def change_lease(self, action: LeaseChange) -> None:
        """Write what was decided about a lease."""
        match action:
            case DefineLease():
                await self._fence.write(keeping.define, action.lease)
            case ReclaimLease():
                await self._fence.write(keeping.reclaim, action.place, action.token, action.reason)
            case StandInLine():
                ticket = Ticket(action.workspace, action.lease, action.holder, lines.JOB_SECONDS)
                await self._fence.write(lines.stand, ticket)
            case LeaveLines():
                await self._fence.write(lines.leave, action.workspace, action.holder.text, None)
            case FreeLeases():
                run = RunKey(action.job_uid, action.attempt)
                await self._fence.write(of_runs.give_back, run)

    async def defined_leases(self, workspaces: Sequence[str] | None) -> tuple[str, ...]:
        """The uids of the Lease objects that the records stand for, there or everywhere."""
        return await self._store.run(keeping.standing_for, workspaces)

    async def drop_leases(self, uids: Sequence[str]) -> None:
        """These objects are gone, and the mirror never knew them."""
        await self._fence.write(keeping.drop, uids)

    async def unmirrored_jobs(self, workspaces: Sequence[str] | None) -> tuple[Unmirrored, ...]:
        """The Jobs with an open run that the mirror has never held, there or everywhere."""
        return await self._store.run(runs.unmirrored, workspaces)

    async def close_gone(self, job_uids: Sequence[str]) -> None:
        """These Jobs are gone, and the mirror never knew them: their runs end, and hold nothing."""
        await self._fence.write(mirror.mark_deleted, job_uids, ())

    async def lapse_leases(self) -> int:
        """Note which leases are over; how many."""
        return await self._fence.write(keeping.lapse)

    async def verdict(self, agent_uid: str) -> Verdict | None:
        """The model gateway's word on an Agent. Raises UnavailableError while Postgres is away."""
        return (await self._store.run(verdicts.of, [agent_uid])).get(agent_uid)

    async def enforcement(self, workspace: str, version: str) -> Finding | None:
        """What is known of a workspace's network."""
        return await self._store.run(enforcement.of, workspace, version)

    async def keep_enforcement(self, finding: Finding) -> None:
        """Keep what a probe found."""
        await self._fence.write(enforcement.keep, finding)

    async def mirrored(self, kind: str, workspaces: Sequence[str] | None) -> dict[str, str]:
        """Version by uid of what the mirror takes for living in these workspaces, or everywhere."""
        return await self._store.run(mirror.live, kind, workspaces)

    async def last_form(self, uid: str) -> Raw | None:
        """An object as the mirror last saw it."""
        row = await self._store.run(mirror.by_uid, uid)
        return None if row is None else row.body

    async def ended_jobs(
        self, workspace: str, names: Sequence[str], since: datetime
    ) -> dict[str, str]:
        """The last phases of Jobs that are gone. Raises UnavailableError without Postgres."""
        return await self._store.run(ended_jobs.phases, workspace, names, since)

    async def approvals(self, job_uid: str) -> tuple[Given, ...]:
        """What people said of a Job. Raises UnavailableError while Postgres is away."""
        return (await self._store.run(approvals.of, [job_uid])).get(job_uid, ())

    async def deleted(self, kind: str) -> dict[tuple[str, str], datetime]:
        """When the last object of each workspace and name was deleted."""
        return await self._store.run(mirror.last_deleted, kind)

    async def wakes(self) -> tuple[Wake, ...]:
        """Reasons that other processes left to look at an object."""
        return await self._store.run(wakes.unhandled)

    async def woken(self, seen: Sequence[Wake]) -> None:
        """These reasons are in the queue."""
        await self._fence.write(wakes.handled, seen)

    async def keep_output(self, source: KeepLog, text: str) -> None:
        """Record the log of a pod that spoke to nobody as its output."""
        event = Event.of(
            RUN_OUTPUT,
            Output(stream="stdout", text=text, source="pod"),
            id=events.derived_id(source.job_uid, source.attempt, "pod.log", source.at),
            actor=ACTOR,
            workspace=source.namespace,
            name=source.job_name,
            uid=source.job_uid,
            attempt=source.attempt,
        )
        await self._fence.write(events.append, [event])

    async def _ask_states(self, keys: Sequence[RunKey]) -> list[Run | None]:
        found = await self._store.run(runs.states, keys)
        return [found.get(key) for key in keys]

    async def _open_runs(self, batch: Sequence[NewRun]) -> list[Run | ConflictError]:
        return await self._fence.write(runs.open_runs, batch)

    async def _close_runs(self, batch: Sequence[Closing]) -> list[bool]:
        return await self._fence.write(runs.close_runs, batch)
