"""What the cluster and the records say of a Schedule."""

from dataclasses import replace

from coxswain.api.conditions import ConditionType, Seen
from coxswain.api.kind import Job
from coxswain.api.ticks import Standing, Tick
from coxswain.errors import NotFoundError, UnavailableError, UserError
from coxswain.kube import paths
from coxswain.reconcile import instants
from coxswain.reconcile import key as keys
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.key import Key
from coxswain.reconcile.world import World
from coxswain.rules import ticks as rules
from coxswain_controllers.schedule import follow, form, listening
from coxswain_controllers.schedule.snapshot import Heard, JobSeen, ScheduleSnapshot

KIND = "Schedule"


async def observe(world: World, key: Key) -> ScheduleSnapshot | None:
    """Collect the snapshot of a Schedule; None where it is gone."""
    if world.cache.get(KIND, key.uid) is None:
        return None
    try:
        standing = await world.ticks.standing(key.uid)
        alone = follow.left_alone(standing.open)
        out = [each for each in standing.open if _is_out(world, each) and each.id not in alone]
        others = [await _sought(world, key, tick) for tick in out]
        heard = await _heard(world, key, standing)
        is_enabled = await world.schedules.is_on()
        records = Seen(ConditionType.RECORDS_AVAILABLE, "True", "Available")
    except UnavailableError as error:
        return _snapshot(world, key, None, [], Heard(), _unavailable(error))
    found = _snapshot(world, key, standing, others, heard, records)
    return None if found is None else replace(found, is_enabled=is_enabled)


def _snapshot(
    world: World,
    key: Key,
    standing: Standing | None,
    others: list[JobSeen | None],
    heard: Heard,
    records: Seen,
) -> ScheduleSnapshot | None:
    """From here on nothing waits."""
    raw = world.cache.get(KIND, key.uid)
    read = world.cache.form(KIND, key.uid, form.of_schedule)
    if raw is None or read is None:
        return None
    template = (raw.get("spec") or {}).get("jobTemplate") or {}
    jobs = {each.key.name: each for each in others if each is not None}
    for child in world.cache.children(key.uid):
        jobs[child["metadata"]["name"]] = _seen(world, child)
    return ScheduleSnapshot(
        key=key,
        metadata=read.metadata,
        readable=read.readable,
        status=read.status,
        template=template,
        standing=standing,
        records=records,
        agent=_agent(world, key, template),
        jobs=jobs,
        heard=heard,
    )


def _is_out(world: World, tick: Tick) -> bool:
    """Whether the tick should have a Job and memory does not know it."""
    if not tick.is_running:
        return False
    return tick.job_uid is None or world.cache.get("Job", tick.job_uid) is None


async def _sought(world: World, key: Key, tick: Tick) -> JobSeen | None:
    """The Job of a tick, live, or as the records saw it last: it may have come and gone meanwhile."""
    name = tick.job_name or ""
    known = world.cache.named("Job", key.namespace, name)
    if known is not None and keys.owner(known) == key:
        return _seen(world, known)
    if tick.job_uid is None:
        try:
            live = await world.client.get(paths.of("jobs", key.namespace, name))
        except NotFoundError:
            live = None
        if live is not None and keys.owner(live) == key:
            return _seen(world, live)
    row = await world.ticks.job(key.namespace, name)
    if row is None or keys.owner(row.body) != key:
        return None
    return _of_record(Key("Job", key.namespace, name, row.uid), row.body)


def _seen(world: World, raw: Raw) -> JobSeen:
    metadata, status = raw["metadata"], Job.status_of(raw)
    return JobSeen(
        key=keys.of("Job", raw),
        phase=str(status.phase or ""),
        ended_at=instants.read(status.finished_at),
        resource_version=metadata["resourceVersion"],
        is_recorded=world.journal.holds(metadata["uid"], metadata["resourceVersion"]),
        answer=status.result.answer if status.result is not None else None,
    )


def _of_record(key: Key, raw: Raw) -> JobSeen:
    status = Job.status_of(raw)
    answer = status.result.answer if status.result is not None else None
    return JobSeen(key=key, phase=str(status.phase or ""), is_gone=True, answer=answer)


async def _heard(world: World, key: Key, standing: Standing) -> Heard:
    read = world.cache.form(KIND, key.uid, form.of_schedule)
    if read is None or isinstance(read.readable, UserError):
        return Heard()
    wanted, state = read.readable.spec.on_event, standing.state
    position = state.position if state is not None else None
    if state is not None and state.trigger != read.readable.trigger:
        # An edit: what the former filter takes is to be told, and the new one begins behind that.
        former = rules.former(state.trigger)
        was = former.on_event if former is not None else None
        if was is not None and position is not None:
            return await listening.hear(world, key, was, position)
        position = None
    return Heard() if wanted is None else await listening.hear(world, key, wanted, position)


def _agent(world: World, key: Key, template: Raw) -> Seen:
    name = ((template.get("spec") or {}).get("agentRef") or {}).get("name", "")
    found = world.cache.named("Agent", key.namespace, name)
    if found is None:
        text = f"there is no Agent '{name}'; Jobs are made all the same and wait for it"
        return Seen(ConditionType.AGENT_READY, "False", "AgentNotFound", text)
    return Seen(ConditionType.AGENT_READY, "True", "Found")


def _unavailable(error: UnavailableError) -> Seen:
    return Seen(ConditionType.RECORDS_AVAILABLE, "False", "Unavailable", error.message)
