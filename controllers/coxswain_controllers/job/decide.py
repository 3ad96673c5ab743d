"""What to do about a Job: a chain of checks, each named by what is the case. Pure.

The first check that has an answer wins; the last one starts the next attempt.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from coxswain import names
from coxswain.api.conditions import ConditionType, Seen
from coxswain.api.job import TERMINAL, JobPhase
from coxswain.errors import UserError
from coxswain.reconcile import actions, instants
from coxswain.reconcile.decision import NOTHING, Decision, Note
from coxswain.rules.outcome import Ended
from coxswain.sandbox.pod import Platform
from coxswain_controllers.job import (
    approval,
    ending,
    gates,
    keys,
    lease_loss,
    leases,
    manifest,
    refusals,
    retention,
    review,
    silence,
    status,
    suspension,
)
from coxswain_controllers.job.snapshot import JobSnapshot, PodSeen

LONG_WAIT = timedelta(seconds=5)
DEADLINE_GRACE = timedelta(seconds=10)
LOOK_AGAIN = timedelta(seconds=5)

Check = Callable[[JobSnapshot, Platform, datetime], Decision | None]


def decide(snapshot: JobSnapshot, platform: Platform, now: datetime) -> Decision:
    """The first answer of the chain."""
    for check in CHECKS:
        decision = check(snapshot, platform, now)
        if decision is not None:
            return retention.applied(snapshot, leases.applied(snapshot, decision), now)
    return NOTHING


def job_has_ended(snapshot: JobSnapshot, _platform: Platform, now: datetime) -> Decision | None:
    """Nothing of it runs on; after its time to live it goes, once the records hold it.

    A pod that has ended is kept for people, but for as long as it stays it holds its Agent's home.
    """
    if snapshot.status.phase not in TERMINAL:
        return None
    living = _living(snapshot)
    holding = snapshot.done if ending.agent_was_deleted(snapshot) else ()
    todo = _end_all(snapshot, [*living, *holding])
    expiry = _expiry(snapshot)
    if expiry is not None and expiry <= now and snapshot.is_recorded and not living:
        return Decision(actions=(_remove(snapshot),))
    wake_at = expiry
    if expiry is not None and expiry <= now:
        wake_at = now + timedelta(seconds=1)
    return Decision(actions=todo, status=status.observed(snapshot), wake_at=wake_at)


def spec_does_not_fit(snapshot: JobSnapshot, _platform: Platform, now: datetime) -> Decision | None:
    """A stored spec that this version cannot read: the user has to make another Job."""
    if not isinstance(snapshot.spec, UserError):
        return None
    invalid = Ended("Failed", "Invalid", snapshot.spec.message)
    seen = (Seen(ConditionType.ACCEPTED, "False", "Invalid", invalid.message),)
    return Decision(
        actions=ending.closing(snapshot, invalid),
        status=status.ended(snapshot, invalid, seen, now),
        notes=ending.note(invalid),
    )


def end_is_asked_for(snapshot: JobSnapshot, platform: Platform, now: datetime) -> Decision | None:
    """Cancelled, or its Agent was deleted: end the pod, then the Job, unless it had succeeded before."""
    why = ending.cancellation(snapshot)
    if why is None:
        return None
    living = _living(snapshot)
    if living:
        todo = _end_all(snapshot, living)
        told = (actions.AskToEnd(snapshot.key.uid, snapshot.number),) if todo else ()
        return Decision(actions=(*todo, *told))
    if snapshot.run is None and snapshot.records.status != "True" and _may_have_row(snapshot):
        return _wait_for_records(snapshot, now)
    judged = ending.judge(snapshot, now) if _ended_by_itself(snapshot) else why
    return ending.finish(snapshot, judged if judged.outcome == "Succeeded" else why, now)


def agent_may_be_deleted(
    snapshot: JobSnapshot, _platform: Platform, now: datetime
) -> Decision | None:
    """Its own Agent is not there: whether it was deleted is known once the records were compared."""
    if snapshot.is_compared or snapshot.run is None:
        return None
    agent, made_at = snapshot.agent, snapshot.metadata.creation_timestamp
    if agent is not None and agent.created_at <= made_at:
        return None
    return Decision(wake_at=now + LOOK_AGAIN)


def pod_has_ended(snapshot: JobSnapshot, _platform: Platform, now: datetime) -> Decision | None:
    """The pod of the attempt will not run again: judge it."""
    if snapshot.pod is None or snapshot.pod.end is None:
        return None
    if snapshot.run is None and snapshot.records.status != "True":
        return _wait_for_records(snapshot, now)
    return ending.finish(snapshot, ending.judge(snapshot, now), now)


def door_has_given_up(snapshot: JobSnapshot, _platform: Platform, now: datetime) -> Decision | None:
    """The door will never let the program of the attempt start: judge it, and end the pod."""
    pod = snapshot.pod
    if pod is None or pod.given_up is None:
        return None
    if snapshot.run is None and snapshot.records.status != "True":
        return _wait_for_records(snapshot, now)
    return ending.give_up(snapshot, pod, ending.judge(snapshot, now), now)


def former_pod_hangs(snapshot: JobSnapshot, _platform: Platform, now: datetime) -> Decision | None:
    """A pod of an earlier attempt came late, was refused, and would be started for ever: end it."""
    hanging = [pod for pod in snapshot.former if pod.given_up is not None]
    todo = _end_all(snapshot, hanging)
    return Decision(todo, wake_at=now + LOOK_AGAIN) if todo else None


def pod_is_overdue(snapshot: JobSnapshot, platform: Platform, now: datetime) -> Decision | None:
    """The pod did not start in time, or runs on although its node should have ended it."""
    pod = snapshot.pod
    if pod is None:
        return None
    if pod.running_since is None:
        return _not_started(snapshot, pod, now)
    if now < pod.running_since + snapshot.timeout + DEADLINE_GRACE:
        return None
    if snapshot.run is None and snapshot.records.status != "True":
        return _wait_for_records(snapshot, now)
    has_result = snapshot.run is not None and snapshot.run.result is not None
    late = Ended("Failed", "Timeout", "the attempt took longer than its timeout")
    late = ending.not_blindly(snapshot, late, snapshot.run)
    return ending.give_up(snapshot, pod, ending.judge(snapshot, now) if has_result else late, now)


def pod_is_there(snapshot: JobSnapshot, platform: Platform, now: datetime) -> Decision | None:
    """The pod runs or starts: say so, and look again when it would be overdue."""
    pod = snapshot.pod
    if pod is None:
        return None
    if pod.running_since is None:
        return _starting(snapshot, pod, now)
    overdue = pod.running_since + snapshot.timeout + DEADLINE_GRACE
    wake_at = min(overdue, silence.next_look(snapshot, now))
    wake_at = lease_loss.next_look(snapshot, wake_at, now)
    if not _is_shown(snapshot, pod):
        found = status.running(snapshot, pod, gates.passed(snapshot), now)
        return Decision(status=found, wake_at=wake_at)
    silent = silence.told(snapshot, now)
    if silent is not None:
        return replace(silent, wake_at=wake_at)
    todo = _lost_row(snapshot, pod, platform)
    return Decision(todo, status.observed(snapshot), wake_at=now if todo else wake_at)


def pod_has_vanished(snapshot: JobSnapshot, _platform: Platform, now: datetime) -> Decision | None:
    """There is no pod, and there was one, by the run row or the status: judge without it."""
    run = snapshot.run
    if run is None and snapshot.open_attempt is None:
        return None
    if run is None and snapshot.records.status != "True":
        return _wait_for_records(snapshot, now)
    if run is None or run.claimed or run.closed_reason is not None or run.result is not None:
        return ending.finish(snapshot, ending.judge(snapshot, now), now)
    return None


def job_is_suspended(snapshot: JobSnapshot, _platform: Platform, now: datetime) -> Decision | None:
    """No attempt starts; one that runs went its way in the checks before."""
    text = suspension.why(snapshot)
    if text is None:
        return None
    suspended = Seen(ConditionType.SUSPENDED, "True", "Suspended", text)
    return _waits(snapshot, [*gates.passed(snapshot, ConditionType.SUSPENDED), suspended], now)


def key_is_not_its_own(
    snapshot: JobSnapshot, _platform: Platform, now: datetime
) -> Decision | None:
    """Its idempotency key is to be taken first, or stands for another Job, which ends this one."""
    claim = snapshot.key_claim
    if claim is None:
        return None
    if snapshot.records.status != "True":
        return _wait_for_records(snapshot, now)
    refused = keys.refusal(claim)
    if refused is not None:
        seen = (Seen(ConditionType.ACCEPTED, "False", refused.reason, refused.message),)
        found = status.ended(snapshot, refused, seen, now)
        return Decision(status=found, notes=ending.note(refused))
    if keys.is_own(claim):
        return None
    return Decision(actions=(actions.RegisterKey(claim.wanted),), wake_at=now)


def attempt_is_due(snapshot: JobSnapshot, platform: Platform, now: datetime) -> Decision:
    """Ask the gates; when all are open, write the run row and make the pod."""
    spec, agent = snapshot.spec, snapshot.agent
    seen, is_free = gates.evaluate(snapshot, platform, now)
    if not is_free or agent is None or isinstance(spec, UserError):
        waits = _waits(snapshot, seen, now)
        is_leased = seen[-1].type is ConditionType.LEASE_HELD
        return leases.in_line(snapshot, waits, now) if is_leased else waits
    run = manifest.document(snapshot, spec, agent)
    chosen = manifest.runtime_of(agent.spec, platform, snapshot.runtime_classes)
    owner = snapshot.metadata.labels.get(names.LABEL_OWNER)
    span = manifest.traceparent(snapshot, platform, run.attempt)
    pod = manifest.manifest(run, spec, agent.spec, platform, chosen.name, owner, traceparent=span)
    row = actions.OpenRun(run, snapshot.pod_name, platform.service_account, snapshot.token)
    return Decision(
        actions=(row, actions.CreatePod(snapshot.key.namespace, pod)),
        wake_at=now + LONG_WAIT,
    )


CHECKS: tuple[Check, ...] = (
    job_has_ended,
    spec_does_not_fit,
    end_is_asked_for,
    agent_may_be_deleted,
    review.is_open,
    pod_has_ended,
    door_has_given_up,
    silence.worker_is_lost,
    lease_loss.one_is_lost,
    pod_is_overdue,
    pod_is_there,
    pod_has_vanished,
    key_is_not_its_own,
    refusals.job_can_never_start,
    former_pod_hangs,
    job_is_suspended,
    attempt_is_due,
)


def _not_started(snapshot: JobSnapshot, pod: PodSeen, now: datetime) -> Decision | None:
    limit = timedelta(seconds=snapshot.agent_spec.limits.start_timeout_seconds)
    if now < pod.created_at + limit:
        return None
    why = pod.waits_for
    reason = "StartTimeout" if why is None else why.reason
    text = "the pod did not start in time" + (f": {why.message}" if why is not None else "")
    return ending.give_up(snapshot, pod, Ended("Failed", reason, text), now)


def _starting(snapshot: JobSnapshot, pod: PodSeen, now: datetime) -> Decision:
    """A pod that has not started: after 5 s the status says what it waits for, once."""
    limit = timedelta(seconds=snapshot.agent_spec.limits.start_timeout_seconds)
    overdue = pod.created_at + limit
    if pod.waits_for is None or now < pod.created_at + LONG_WAIT:
        return Decision(wake_at=min(overdue, max(pod.created_at, now) + LONG_WAIT))
    decision = _waits(snapshot, [*gates.passed(snapshot), pod.waits_for], now)
    return Decision(status=decision.status, notes=decision.notes, wake_at=overdue)


def _waits(snapshot: JobSnapshot, seen: list[Seen], now: datetime) -> Decision:
    """Write why it waits, once; a long wait becomes a note for people."""
    why = seen[-1]
    shown = next((each for each in snapshot.status.conditions if each.type == why.type), None)
    is_known = (
        shown is not None
        and not snapshot.shows_failure
        and (shown.status, shown.reason) == (why.status, why.reason)
        and (why.type is not ConditionType.LEASE_HELD or shown.message == why.message)
        and snapshot.status.observed_generation == snapshot.metadata.generation
    )
    retry_at = instants.read(snapshot.status.retry_at)
    wake_at = retry_at if retry_at is not None and retry_at > now else None
    if why.type is ConditionType.RECORDS_AVAILABLE or why.type is ConditionType.SANDBOX_READY:
        wake_at = now + LOOK_AGAIN
    wake_at = approval.sooner(snapshot, wake_at, now)
    if is_known:
        return Decision(wake_at=wake_at)
    is_long = now - snapshot.metadata.creation_timestamp > LONG_WAIT
    notes = (Note("Normal", why.reason, why.message),) if is_long else ()
    found = status.waiting(snapshot, seen, now)
    return Decision(status=found, notes=notes, wake_at=wake_at)


def _wait_for_records(snapshot: JobSnapshot, now: datetime) -> Decision:
    decision = _waits(snapshot, [snapshot.records], now)
    return Decision(status=decision.status, notes=decision.notes, wake_at=now + LOOK_AGAIN)


def _is_shown(snapshot: JobSnapshot, pod: PodSeen) -> bool:
    """Whether the status tells of this very pod, and of no failure that is over."""
    entry = snapshot.open_attempt
    if entry is None or snapshot.shows_failure:
        return False
    return (entry.pod_uid, entry.token) == (pod.uid, snapshot.token)


def _lost_row(
    snapshot: JobSnapshot, pod: PodSeen, platform: Platform
) -> tuple[actions.Action, ...]:
    """A pod runs and its row is gone, after a restore: write it again from the status."""
    spec, agent = snapshot.spec, snapshot.agent
    is_lost = snapshot.run is None and snapshot.records.status == "True" and not pod.is_deleting
    if not is_lost or agent is None or isinstance(spec, UserError):
        return ()
    run = manifest.document(snapshot, spec, agent)
    token = max(1, snapshot.token)
    return (actions.RestoreRun(run, pod.name, pod.uid, platform.service_account, token),)


def _may_have_row(snapshot: JobSnapshot) -> bool:
    """Whether an attempt may have a row that nobody could read: its pod may be gone, its status not written."""
    return snapshot.status.phase is not JobPhase.REVIEW


def _ended_by_itself(snapshot: JobSnapshot) -> bool:
    """Whether a result or an end of the pod says more than the wish to end it; a foreign program has no
    result but its end.
    """
    has_result = snapshot.run is not None and snapshot.run.result is not None
    return has_result or (snapshot.pod is not None and snapshot.pod.end is not None)


def _expiry(snapshot: JobSnapshot) -> datetime | None:
    """When a Job that has ended may go; None keeps it."""
    spec, finished_at = snapshot.spec, instants.read(snapshot.status.finished_at)
    if isinstance(spec, UserError) or spec.ttl_seconds_after_finished is None:
        return None
    if finished_at is None:
        return None
    return finished_at + timedelta(seconds=spec.ttl_seconds_after_finished)


def _living(snapshot: JobSnapshot) -> list[PodSeen]:
    pods = (snapshot.pod, *snapshot.former)
    return [pod for pod in pods if pod is not None and pod.end is None]


def _end_all(snapshot: JobSnapshot, pods: list[PodSeen]) -> tuple[actions.Action, ...]:
    return tuple(ending.end_pod(snapshot, pod) for pod in pods if not pod.is_deleting)


def _remove(snapshot: JobSnapshot) -> actions.Action:
    key = snapshot.key
    return actions.DeleteJob(key.namespace, key.name, key.uid, snapshot.metadata.resource_version)
