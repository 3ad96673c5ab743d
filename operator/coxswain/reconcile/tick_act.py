"""Carries out what was decided about ticks: the row first, then the Job, then the row's outcome."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from coxswain.kube.client import Client
from coxswain.reconcile import actions, children
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.displaced import Displaced
from coxswain.reconcile.tick_records import TickRecords
from coxswain.store.ticks import Fired
from coxswain.telemetry import metrics


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
        """Do one action; each is safe to repeat."""
        match action:
            case actions.KeepTicks():
                await self._records.keep(action.change)
            case actions.FireTick():
                await self._fire(action)
            case actions.Displace():
                self._displaced.ask(action.job, action.reason, action.grace_seconds)

    async def _fire(self, action: actions.FireTick) -> None:
        made = await children.create(self._client, "jobs", action.workspace, action.manifest)
        self._made(made)
        tick = replace(action.tick, job_uid=made["metadata"]["uid"])
        tick = tick.settled("Fired", "", self._clock())
        metrics.TICKS.labels("Fired").inc()
        await self._records.settle(Fired(action.uid, action.workspace, action.name, tick))
