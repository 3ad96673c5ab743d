"""The Jobs of ticks: whether they are there, how they ended, and which may go. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from coxswain.api.job import TERMINAL, JobPhase
from coxswain.api.schedule import ScheduleSpec
from coxswain.api.ticks import Tick
from coxswain.reconcile import actions
from coxswain.rules import heartbeat
from coxswain_controllers.schedule.plan import Plan
from coxswain_controllers.schedule.snapshot import JobSeen, ScheduleSnapshot

GONE = "Gone"
"""How a Job ended whose end nobody saw: it was deleted while it ran."""
RETRIED = 5
"""Ticks with a refused Job that one pass tries again."""


def left_alone(waiting: Iterable[Tick]) -> frozenset[str]:
    """Ids of ticks with a refused Job that this pass does not try again: all but the first ones."""
    refused = [tick.id for tick in waiting if tick.is_running and not tick.outcome and tick.refused]
    return frozenset(refused[RETRIED:])


def jobs(plan: Plan, spec: ScheduleSpec) -> None:
    """Bring the open ticks up to what became of their Jobs."""
    if plan.state.paused and not spec.pause_on_failure:
        plan.update(paused=False)
    alone = left_alone(plan.running)
    for tick in plan.running:
        job = plan.jobs.get(tick.job_name or "")
        if job is None and tick.outcome is None:
            if tick.id not in alone:
                plan.firing.append(tick)
            continue
        if job is not None and tick.outcome is None:
            tick = replace(tick, job_uid=job.key.uid).settled("Fired", "", plan.now)
            plan.put(tick)
        if job is None or job.is_gone or job.phase in TERMINAL:
            _ended(plan, spec, tick, job)


def _ended(plan: Plan, spec: ScheduleSpec, tick: Tick, job: JobSeen | None) -> None:
    phase = job.phase if job is not None and job.phase in TERMINAL else GONE
    answers = spec.heartbeat is not None and phase == JobPhase.SUCCEEDED and job is not None
    said = heartbeat.reply(job.answer) if answers and job is not None else None
    plan.put(replace(tick, job_phase=str(phase), reply=said))
    if phase == JobPhase.FAILED and spec.pause_on_failure:
        plan.update(paused=True)


def leftover(
    plan: Plan, snapshot: ScheduleSnapshot, spec: ScheduleSpec
) -> tuple[actions.DeleteJob, ...]:
    """Take away Jobs that ended and are more than the history keeps; their records stay."""
    return tuple(
        actions.DeleteJob(job.key.namespace, job.key.name, job.key.uid, job.resource_version)
        for job in _extra(plan, snapshot, spec)
        if job.is_recorded
    )


def waits_for_records(plan: Plan, snapshot: ScheduleSnapshot, spec: ScheduleSpec) -> bool:
    """Whether a Job may go as soon as the records hold it as it is."""
    return any(not job.is_recorded for job in _extra(plan, snapshot, spec))


def _extra(plan: Plan, snapshot: ScheduleSnapshot, spec: ScheduleSpec) -> list[JobSeen]:
    busy = {tick.job_name for tick in plan.running}
    found = [
        job
        for name, job in snapshot.jobs.items()
        if job.phase in TERMINAL and not job.is_gone and name not in busy
    ]
    found.sort(key=lambda job: (job.ended_at or plan.now, job.key.name), reverse=True)
    good = [job for job in found if job.phase == JobPhase.SUCCEEDED]
    bad = [job for job in found if job.phase != JobPhase.SUCCEEDED]
    return [
        *good[spec.successful_jobs_history_limit :],
        *bad[spec.failed_jobs_history_limit :],
    ]
