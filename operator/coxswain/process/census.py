"""Counts the Jobs that are there: by workspace and phase, and by what holds them back."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from coxswain.api.job import JobPhase
from coxswain.reconcile import holding_back
from coxswain.reconcile.cache import Raw
from coxswain.telemetry import few, job_metrics
from coxswain.telemetry.few import Few


class Census:
    """Sets the gauges of Jobs; what nobody waits for any more is at zero, a workspace without Jobs is gone."""

    def __init__(self) -> None:
        self._workspaces = Few(few.MOST_WORKSPACES)

    def show(self, jobs: Iterable[Raw], now: datetime) -> None:
        """Count them all, as they are now."""
        phases: Counter[tuple[str, str]] = Counter()
        held: Counter[str] = Counter()
        oldest: dict[str, float] = dict.fromkeys(holding_back.CONDITIONS, 0.0)
        for raw in jobs:
            workspace = self._workspaces.label(raw["metadata"]["namespace"])
            phases[workspace, (raw.get("status") or {}).get("phase") or JobPhase.QUEUED] += 1
            found = holding_back.of(raw)
            if found is not None:
                held[found.condition] += 1
                seconds = (now - found.since).total_seconds()
                oldest[found.condition] = max(oldest[found.condition], seconds)
        self._set_phases(phases)
        for condition, seconds in oldest.items():
            job_metrics.JOBS_HELD_BACK.labels(condition).set(held[condition])
            job_metrics.HELD_BACK_SECONDS.labels(condition).set(seconds)

    @staticmethod
    def _set_phases(phases: Counter[tuple[str, str]]) -> None:
        job_metrics.JOBS.clear()
        for workspace in {workspace for workspace, _ in phases}:
            for phase in JobPhase:
                job_metrics.JOBS.labels(workspace, phase.value).set(phases[workspace, phase.value])
