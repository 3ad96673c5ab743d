"""A worker of which nobody hears while its pod still counts as running. Pure.

A silent heartbeat alone ends nothing: the program may hang, or the platform's own door was shut, and
the attempt's timeout bounds it. It is said. Only where the cluster too has lost the pod, because its
node is silent or the pod is to go and does not, the attempt is given up: its row is closed, so that
whoever still runs there can write nothing, and the next attempt waits until that pod is gone.
"""

from datetime import datetime, timedelta

from coxswain.api.conditions import ConditionType, Seen, find
from coxswain.reconcile import instants
from coxswain.reconcile.decision import Decision, Note
from coxswain.rules import outcome
from coxswain.rules.outcome import Ended
from coxswain.sandbox.pod import Platform
from coxswain_controllers.job import ending, status
from coxswain_controllers.job.snapshot import JobSnapshot, PodSeen

SAID_AFTER = timedelta(seconds=120)
GIVEN_UP_AFTER = timedelta(seconds=300)
REASON = "HeartbeatSilent"
LOST = "WorkerLost"


def worker_is_lost(snapshot: JobSnapshot, _platform: Platform, now: datetime) -> Decision | None:
    """Neither its heartbeat nor its node has been heard of for long."""
    pod, heard_at = snapshot.pod, _heard_at(snapshot)
    if pod is None or heard_at is None or not _is_out_of_reach(pod):
        return None
    run = snapshot.run
    if run is None or run.result is not None or now < heard_at + GIVEN_UP_AFTER:
        return None
    text = f"nothing was heard of it since {instants.text(heard_at)}, and its node is out of reach"
    lost = Ended("Lost", LOST, text)
    if outcome.unknown(run, repeatable=ending.is_repeatable(snapshot)):
        lost = ending.unknown(lost, run)
    return ending.give_up(snapshot, pod, lost, now)


def told(snapshot: JobSnapshot, now: datetime) -> Decision | None:
    """Say that a heartbeat is silent, and take it back when it is heard again; else None."""
    heard_at = _heard_at(snapshot)
    shown = find(snapshot.status.conditions, ConditionType.READY)
    is_said = shown is not None and shown.reason == REASON
    is_silent = heard_at is not None and now >= heard_at + SAID_AFTER
    if heard_at is None or is_silent == is_said:
        return None
    if not is_silent:
        return Decision(status=status.with_condition(snapshot, status.UNDER_WAY, now))
    text = (
        f"no heartbeat since {instants.text(heard_at)}; if its pod or node is gone for good, delete"
        " that, and another attempt follows; else its timeout ends it"
    )
    seen = Seen(ConditionType.READY, "False", REASON, text)
    found = status.with_condition(snapshot, seen, now)
    return Decision(status=found, notes=(Note("Warning", REASON, text),))


def next_look(snapshot: JobSnapshot, now: datetime) -> datetime:
    """When the heartbeat is to be looked at again; no event tells of what is not there."""
    heard_at, pod = _heard_at(snapshot), snapshot.pod
    if heard_at is None or now < heard_at + SAID_AFTER:
        return (heard_at or now) + SAID_AFTER
    if pod is not None and _is_out_of_reach(pod) and now < heard_at + GIVEN_UP_AFTER:
        return min(heard_at + GIVEN_UP_AFTER, now + SAID_AFTER)
    return now + SAID_AFTER


def _heard_at(snapshot: JobSnapshot) -> datetime | None:
    return snapshot.run.heard_at if snapshot.run is not None else None


def _is_out_of_reach(pod: PodSeen) -> bool:
    is_running = pod.end is None and pod.running_since is not None
    return is_running and (pod.is_deleting or pod.is_cut_off)
