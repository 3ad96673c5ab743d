"""What memory and the records say of the Jobs that a Job waits for."""

from collections.abc import Mapping, Sequence

from coxswain.api.conditions import ConditionType, Seen
from coxswain.api.job import TERMINAL, JobPhase, JobSpec
from coxswain.errors import UnavailableError
from coxswain.reconcile import dependents
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.key import Key
from coxswain.reconcile.world import World
from coxswain.rules import graph
from coxswain_controllers.job.form import JobForm
from coxswain_controllers.job.snapshot import DependencySeen

AVAILABLE = Seen(ConditionType.RECORDS_AVAILABLE, "True", "Available")


def missing(world: World, key: Key, job: JobForm) -> tuple[str, ...]:
    """The names for which there is no object, as long as it matters."""
    if job.status.attempts or job.status.phase in TERMINAL or not isinstance(job.spec, JobSpec):
        return ()
    names = [each.name for each in job.spec.depends_on]
    return tuple(name for name in names if world.cache.named("Job", key.namespace, name) is None)


async def ended(
    world: World, key: Key, job: JobForm, names: Sequence[str]
) -> tuple[Mapping[str, str], Seen]:
    """How Jobs ended that are gone. Only those count that were still there beside this one."""
    since = job.metadata.creation_timestamp
    try:
        return await world.records.ended_jobs(key.namespace, names, since), AVAILABLE
    except UnavailableError as error:
        return {}, Seen(ConditionType.RECORDS_AVAILABLE, "False", "Unavailable", error.message)


def seen(
    world: World, key: Key, job: JobForm, gone: Mapping[str, str]
) -> tuple[DependencySeen, ...]:
    """Each of them as it is now."""
    if not isinstance(job.spec, JobSpec):
        return ()
    found = []
    for each in job.spec.depends_on:
        raw = world.cache.named("Job", key.namespace, each.name)
        phase = _phase(gone.get(each.name)) if raw is None else _phase_of(raw)
        is_missing = raw is None and phase not in TERMINAL
        found.append(
            DependencySeen(each.name, None if is_missing else phase, each.on_failure, is_missing)
        )
    return tuple(found)


def circle(world: World, key: Key, job: JobForm) -> tuple[str, ...]:
    """The circle in which a Job waits for itself, by way of Jobs that have not begun."""
    if not isinstance(job.spec, JobSpec) or not job.spec.depends_on:
        return ()
    if job.status.attempts or job.status.phase in TERMINAL:
        return ()

    def after(name: str) -> list[str]:
        raw = world.cache.named("Job", key.namespace, name)
        if raw is None or (raw.get("status") or {}).get("attempts") or _phase_of(raw) in TERMINAL:
            return []
        return dependents.names_of(raw)

    return graph.cycle(key.name, after)


def _phase_of(raw: Raw) -> JobPhase | None:
    return _phase((raw.get("status") or {}).get("phase"))


def _phase(text: str | None) -> JobPhase | None:
    return JobPhase(text) if text in list(JobPhase) else None
