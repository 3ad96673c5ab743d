"""A run that has lost a lease is stopped, and what it still says bounces. Pure."""

from datetime import datetime, timedelta

from coxswain.api.records import WantedLease
from coxswain.reconcile.decision import Decision
from coxswain.rules import outcome
from coxswain.rules.outcome import Ended
from coxswain.sandbox.pod import Platform
from coxswain_controllers.job import ending
from coxswain_controllers.job.snapshot import JobSnapshot

LOST = "LeaseLost"
LOOK_AGAIN = timedelta(seconds=5)


def one_is_lost(snapshot: JobSnapshot, _platform: Platform, now: datetime) -> Decision | None:
    """A run without a result holds a lease no more. With a result it has done its work."""
    pod, run = snapshot.pod, snapshot.run
    if pod is None or pod.end is not None or run is None or run.result is not None:
        return None
    if not snapshot.lost_leases:
        return None
    ended = Ended("Lost", LOST, "; ".join(_whose(each) for each in snapshot.lost_leases))
    if outcome.unknown(run, repeatable=ending.is_repeatable(snapshot)):
        ended = ending.unknown(ended, run)
    return ending.give_up(snapshot, pod, ended, now)


def next_look(snapshot: JobSnapshot, otherwise: datetime, now: datetime) -> datetime:
    """Soon, while one is in doubt: if nothing is heard of the run it is lost without an event."""
    return min(otherwise, now + LOOK_AGAIN) if snapshot.is_lease_in_doubt else otherwise


def _whose(wanted: WantedLease) -> str:
    lease = wanted.lease
    if lease is None or lease.is_removed:
        return f"Lease '{wanted.name}' was deleted while the attempt held it"
    now = "nobody" if lease.holder is None else lease.holder.text
    state = lease.shown_state.lower()
    return f"Lease '{wanted.name}' was lost: it is {state}, token {lease.token}, holder {now}"
