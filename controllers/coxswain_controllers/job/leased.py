"""What the records say of the leases that a Job wants, or that its run was given."""

from datetime import timedelta

from coxswain.api.conditions import ConditionType, Seen
from coxswain.api.job import TERMINAL, JobSpec
from coxswain.api.lease import LeaseState
from coxswain.api.records import Lease, LeaseHolder, Run, RunKey, WantedLease
from coxswain.errors import UnavailableError
from coxswain.reconcile.key import Key
from coxswain.reconcile.world import World
from coxswain.rules import leasing
from coxswain_controllers.job.form import JobForm
from coxswain_controllers.job.snapshot import number

HEARD_AGAIN = timedelta(seconds=15)
"""After an outage of the records every run is late; its next heartbeat comes within 10 s."""
KIND = ConditionType.RECORDS_AVAILABLE


def wants_any(job: JobForm) -> bool:
    """Whether leases matter to it: it names some, and has not ended."""
    is_over = job.status.phase in TERMINAL
    return isinstance(job.spec, JobSpec) and bool(job.spec.leases) and not is_over


async def wanted(world: World, key: Key, job: JobForm) -> tuple[tuple[WantedLease, ...], Seen]:
    """Each as it stands, and whether the records answered."""
    names = job.spec.leases if isinstance(job.spec, JobSpec) else ()
    run = RunKey(key.uid, number(job.status))
    try:
        found = await world.records.wanted_leases(
            key.namespace, (names, LeaseHolder.of_run(run, key.name))
        )
    except UnavailableError as error:
        return (), Seen(KIND, "False", "Unavailable", error.message)
    return found, Seen(KIND, "True", "Available")


def lost(run: Run | None, found: tuple[WantedLease, ...]) -> tuple[WantedLease, ...]:
    """Those that the run does not hold: any more, or by a row that was written again from the status."""
    if run is None:
        return ()
    holder = LeaseHolder.of_run(run.key, run.job_name)
    return tuple(
        each
        for each in found
        if each.name not in run.leases or not _is_held(each, holder, run.leases[each.name])
    )


def silent(run: Run | None, found: tuple[WantedLease, ...]) -> bool:
    """Whether one that the run was given is in doubt, because nothing was heard of the run."""
    given = run.leases if run is not None else {}
    return any(each.name in given and _is_silent(each.lease, given[each.name]) for each in found)


def _is_held(wanted: WantedLease, holder: LeaseHolder, token: int) -> bool:
    lease = wanted.lease
    if lease is None or lease.token != token:
        return False
    return leasing.is_own(lease, holder) or (
        _is_silent(lease, token) and lease.read_at - lease.changed_at < HEARD_AGAIN
    )


def _is_silent(lease: Lease | None, token: int) -> bool:
    if lease is None or lease.state is not LeaseState.QUARANTINED or lease.token != token:
        return False
    return lease.reason == leasing.SILENT
