"""Carries out what was decided about ticks: the row first, then the Job, then the row's outcome."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from coxswain.api.ticks import REFUSED, Tick
from coxswain.errors import (
    ConflictError,
    CoxswainError,
    ForbiddenError,
    NotFoundError,
    UserError,
)
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.reconcile import actions, children, key
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.displaced import Displaced
from coxswain.reconcile.tick_records import TickRecords
from coxswain.rules.overlap import Reason
from coxswain.store.ticks import Fired, Refused
from coxswain.telemetry import metrics

WORDS = 500
"""Characters of the API server's words that a tick keeps."""
JOB_REFUSED = "job_refused"


class JobRefusedError(CoxswainError):
    """The API server does not let the Job of a tick be made; nothing else has to wait for it."""

    code = JOB_REFUSED

    def __init__(self, message: str, *, is_settled: bool) -> None:
        """``is_settled`` says that the tick has its outcome; else it is to be tried again."""
        super().__init__(message)
        self.is_settled = is_settled


class TickActor:
    """The hands of the loop for Schedules."""

    def __init__(
        self,
        client: Client,
        made: Callable[[Raw], None],
        records: TickRecords,
        displaced: Displaced,
        clock: Callable[[], datetime],
    ) -> None:
        """``made`` takes in a Job that was made, as a watch would bring it."""
        self._client = client
        self._made = made
        self._records = records
        self._displaced = displaced
        self._clock = clock

    async def carry_out(self, action: actions.TickAction) -> None:
        """Do one action; each is safe to repeat. Raises JobRefusedError."""
        match action:
            case actions.KeepTicks():
                await self._records.keep(action.change)
                _count(action.change.ticks)
            case actions.FireTick():
                await self._fire(action)
            case actions.Displace():
                self._displaced.ask(action.job, action.reason, action.grace_seconds)

    async def _fire(self, action: actions.FireTick) -> None:
        made = await self._make(action)
        self._made(made)
        tick = replace(action.tick, job_uid=made["metadata"]["uid"])
        now = self._clock()
        tick = tick.settled("Fired", "", now)
        await self._records.settle(Fired(action.uid, action.workspace, action.name, tick))
        metrics.TICKS.labels("Fired", "").inc()
        late = (now - tick.due_at).total_seconds()
        metrics.TICK_SECONDS.labels(action.overlap).observe(max(0.0, late))

    async def _make(self, action: actions.FireTick) -> Raw:
        try:
            return await children.create(self._client, "jobs", action.workspace, action.manifest)
        except UserError as error:
            if isinstance(error, ConflictError) and error.code != children.FOREIGN_OBJECT:
                raise
            # An answer that was lost before may have made it, under rules that were others then.
            standing = await self._standing(action)
            if standing is not None:
                return standing
            raise await self._refused(action, error) from error

    async def _standing(self, action: actions.FireTick) -> Raw | None:
        name = action.manifest["metadata"]["name"]
        try:
            found = await self._client.get(paths.of("jobs", action.workspace, name))
        except NotFoundError:
            return None
        return found if key.owner(found) == key.owner(action.manifest) else None

    async def _refused(self, action: actions.FireTick, error: UserError) -> JobRefusedError:
        """Keep the words with the tick; Missed if no other answer is to be hoped for."""
        now, words = self._clock(), error.message[:WORDS]
        may_pass = isinstance(error, ForbiddenError | NotFoundError)
        is_settled = not may_pass or now > action.until
        tick = replace(action.tick, cause={**action.tick.cause, REFUSED: words})
        if is_settled:
            tick = replace(tick, job_name=None).settled("Missed", Reason.REFUSED, now)
        if is_settled or words != action.tick.refused:
            await self._records.refuse(Refused(action.uid, action.workspace, action.name, tick))
            _count([tick])
        return JobRefusedError(error.message, is_settled=is_settled)


def _count(ticks: Iterable[Tick]) -> None:
    """Ticks that have come to no Job; of one that fired it is counted when its Job is made."""
    for tick in ticks:
        if tick.outcome not in (None, "Fired"):
            metrics.TICKS.labels(tick.outcome, tick.reason).inc(tick.count)
