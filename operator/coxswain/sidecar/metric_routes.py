"""What is measured, for those who do not ask Prometheus: counted from the records when it is asked for."""

from dataclasses import dataclass
from datetime import datetime

from coxswain.alert_settings import AlertSettings
from coxswain.api.event_types.job import JOB_CREATED
from coxswain.api.job import TERMINAL, JobPhase
from coxswain.identity.asking import Few
from coxswain.identity.callers import UserCaller
from coxswain.reconcile import holding_back
from coxswain.rules import alerting
from coxswain.rules.alerting import Thresholds
from coxswain.sidecar import metric_wire, owning
from coxswain.sidecar.metric_wire import AlertView, CountersView, MetricsQuery, MetricsView
from coxswain.store import job_counts, usage
from coxswain.store.job_counts import Happened, Held, Workspaces
from coxswain.store.pool import Connection, Store
from coxswain.store.usage import Sums
from coxswain.web.routes import Call, route

WAITING = 20
"""So many readers wait for their turn."""
TYPES = frozenset({JOB_CREATED.name, *(metric_wire.ended(phase) for phase in TERMINAL)})


@dataclass(frozen=True)
class _Found:
    at: datetime
    phases: dict[str, int]
    held: dict[str, Held]
    window: Happened
    judged: Happened
    """Over the window of the alert on Jobs that fail."""
    calls: Sums


class MetricRoutes:
    """Routes for people."""

    def __init__(self, store: Store, given: AlertSettings) -> None:
        self._store = store
        self._thresholds = Thresholds(
            queue_stalled_seconds=given.alerts_queue_stalled_seconds,
            failure_rate_percent=given.alerts_failure_rate_percent,
            failure_rate_minimum=given.alerts_failure_rate_minimum,
            window_seconds=given.alerts_window_seconds,
        )
        # A day of a busy log is long to read: one reader at a time leaves connections to the others.
        text = "too many are reading this; come again in a moment"
        self._reading = Few(1, WAITING, code="too_many_readers", text=text)

    @route("GET", "/v1/metrics")
    async def read_metrics(
        self, call: Call, caller: UserCaller, query: MetricsQuery
    ) -> MetricsView:
        """Read how many Jobs are where, what happened within a window, and which alerts are active.

        QUEUE_STALLED and HIGH_FAILURE_RATE have the thresholds of the chart's rules for Prometheus.
        """
        workspaces = caller.workspaces
        if query.workspace is not None:
            owning.require_workspace(caller, query.workspace, "query.workspace")
            workspaces = frozenset({query.workspace})
        judged = self._thresholds.window_seconds
        window = query.window_seconds or judged
        async with self._reading.turn():
            found = await self._store.transact(_count, window, judged, workspaces)
        return self._view(window, found)

    def _view(self, window: int, found: _Found) -> MetricsView:
        active = alerting.active(
            {condition: held.oldest_seconds for condition, held in found.held.items()},
            found.judged.of_type[metric_wire.ended(JobPhase.SUCCEEDED)],
            found.judged.of_type[metric_wire.ended(JobPhase.FAILED)],
            self._thresholds,
        )
        return MetricsView(
            at=found.at,
            window_seconds=window,
            jobs=metric_wire.phases(found.phases),
            held_back=metric_wire.waits(found.held),
            counters=CountersView.of(found.window, found.calls),
            alerts=[AlertView.of(each) for each in active],
        )


async def _count(
    connection: Connection, window: int, judged: int, workspaces: Workspaces
) -> _Found:
    over_window = await job_counts.happened(connection, TYPES, window, workspaces)
    over_judged = over_window
    if judged != window:
        over_judged = await job_counts.happened(connection, TYPES, judged, workspaces)
    return _Found(
        at=await job_counts.now(connection),
        phases=await job_counts.by_phase(connection, workspaces),
        held=await job_counts.held_back(
            connection, holding_back.HOLDS, holding_back.WISHES, workspaces
        ),
        window=over_window,
        judged=over_judged,
        calls=await usage.lately(connection, window, workspaces),
    )
