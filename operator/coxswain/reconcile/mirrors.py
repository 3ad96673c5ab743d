"""Compares the mirror in Postgres with what lives: writes what is missing, records what vanished."""

from collections.abc import Mapping
from typing import Any

from coxswain.errors import CoxswainError, NotFoundError, UnavailableError
from coxswain.kube import paths
from coxswain.reconcile.intake import Intake
from coxswain.reconcile.room import Room
from coxswain.reconcile.world import World
from coxswain.store.runs import Unmirrored

JOB = "Job"
LEASE = "Lease"
SCHEDULE = "Schedule"


async def compare(world: World, intake: Intake, rooms: Mapping[str, Room[Any]]) -> bool:
    """Bring the mirror up to date after a start and at each sweep; False while Postgres is away.

    A workspace that is not read, or lost, is passed by: what lives in it is not known.
    """
    for kind, room in rooms.items():
        try:
            held = await world.records.mirrored(kind, world.reach.seen())
        except UnavailableError:
            return False
        for raw in world.reach.only_seen(world.cache.all(kind)):
            metadata = raw["metadata"]
            if held.get(metadata["uid"]) == metadata["resourceVersion"]:
                world.journal.remember(metadata["uid"], metadata["resourceVersion"])
            else:
                world.journal.publish(kind, raw, _events_of(room, raw))
        for uid in held.keys() - {raw["metadata"]["uid"] for raw in world.cache.all(kind)}:
            vanished = await world.records.last_form(uid)
            if vanished is not None and world.cache.get(kind, uid) is None:
                intake.gone(kind, vanished)
    if JOB in rooms:
        await _close_runs(world)
    if LEASE in rooms:
        await _drop_leases(world)
    if SCHEDULE in rooms:
        await _close_ticks(world)
    return True


async def _drop_leases(world: World) -> None:
    """A Lease that was defined and gone before it was mirrored holds nothing."""
    try:
        defined = await world.records.defined_leases(world.reach.seen())
        # Only what is in memory is ever defined, so what is not in it now is gone.
        gone = [uid for uid in defined if world.cache.get(LEASE, uid) is None]
        if gone:
            await world.records.drop_leases(gone)
    except UnavailableError:
        return


async def _close_runs(world: World) -> None:
    """A Job that was gone before it was mirrored has no run any more: its row came first."""
    try:
        unknown = await world.records.unmirrored_jobs(world.reach.seen())
        gone = [each.job_uid for each in unknown if not await _lives(world, each)]
        if gone:
            await world.records.close_gone(gone)
    except UnavailableError:
        return


async def _lives(world: World, job: Unmirrored) -> bool:
    """Whether a Job is there. Memory may be behind, and a run that is closed never opens again."""
    if world.cache.get(JOB, job.job_uid) is not None:
        return True
    try:
        live = await world.client.get(paths.of("jobs", job.workspace, job.job_name))
    except NotFoundError:
        return False
    except CoxswainError:
        # Not known now; each sweep looks again.
        return True
    return bool(live["metadata"]["uid"] == job.job_uid)


async def _close_ticks(world: World) -> None:
    """Nobody passes over a Schedule that is gone; what it left open is settled here."""
    try:
        await world.ticks.close_left()
    except UnavailableError:
        return


def _events_of(room: Room[Any], raw: Mapping[str, Any]) -> Any:
    return lambda: room.events(raw)
