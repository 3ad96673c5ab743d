"""How an attempt is judged and ended, and a Job with it. Pure."""

from datetime import datetime, timedelta

from coxswain.api.conditions import ConditionType
from coxswain.errors import UserError
from coxswain.reconcile import actions, instants
from coxswain.reconcile.decision import Decision, Note
from coxswain.rules import outcome, retry
from coxswain.rules.outcome import Ended, RunFacts
from coxswain_controllers.job import gates, manifest, status
from coxswain_controllers.job.snapshot import JobSnapshot, PodSeen

# A run that began, whose row is lost and whose pod is gone: nobody knows what it has done.
LOST_ROW = RunFacts(claimed=True, acts_open=("what the lost record would tell",))


def judge(snapshot: JobSnapshot, now: datetime) -> Ended:
    """How the attempt in question ended, by its pod and its run row."""
    pod, entry = snapshot.pod, snapshot.open_attempt
    run = snapshot.run or (RunFacts() if pod is not None else LOST_ROW)
    began = instants.read(entry.started_at) if entry is not None else None
    judged = outcome.judge(
        None if pod is None else pod.end,
        run,
        timed_out=began is not None and now >= began + snapshot.timeout,
        repeatable=_is_repeatable(snapshot),
    )
    blind = retry.is_due(judged, snapshot.valid_spec.retry, used=_used(snapshot, judged), lost=0)
    if blind and judged.outcome == "Failed" and _is_unknown(snapshot, run):
        begun = ", ".join(run.acts_open)
        text = f"{judged.message}; it is not known whether this was done: {begun}"
        return Ended("Failed", "OutcomeUnknown", text, judged.exit_code)
    return judged


def finish(snapshot: JobSnapshot, judged: Ended, now: datetime) -> Decision:
    """End the attempt, and the Job unless another attempt is due."""
    todo = closing(snapshot, judged)
    lost = sum(1 for each in snapshot.status.attempts if each.outcome == "Lost")
    lost += 1 if judged.outcome == "Lost" else 0
    policy, used = snapshot.valid_spec.retry, _used(snapshot, judged)
    if cancellation(snapshot) is None and retry.is_due(judged, policy, used=used, lost=lost):
        at = now + timedelta(seconds=retry.delay_seconds(judged, policy, used=used))
        passed = gates.passed(snapshot, before=ConditionType.BACK_OFF)
        found = status.retrying(snapshot, judged, passed, at, now)
        return Decision(todo, found, note(judged), at)
    if judged.outcome == "Lost":
        text = f"{lost} pods were taken away before they posted a result"
        judged = Ended("Failed", "PodLost", text, is_lost=True)
    found = status.ended(snapshot, judged, gates.passed(snapshot), now)
    return Decision(todo, found, note(judged), wake_at=_first_expiry(snapshot, now))


def closing(snapshot: JobSnapshot, judged: Ended) -> tuple[actions.Action, ...]:
    """Close the run row with the verdict; keep the log of a pod that posted no result."""
    key, number, pod = snapshot.key, snapshot.number, snapshot.pod
    if snapshot.run is None and pod is None:
        return ()
    has_result = snapshot.run is not None and snapshot.run.result is not None
    close = actions.CloseRun(key.uid, number, outcome.verdict(judged), has_result)
    if pod is None or has_result:
        return (close,)
    ended_at = pod.ended_at or pod.created_at
    return (close, actions.KeepLog(key.namespace, key.name, pod.name, key.uid, number, ended_at))


def give_up(snapshot: JobSnapshot, pod: PodSeen, judged: Ended, now: datetime) -> Decision:
    """End an attempt whose pod is still there: the run row keeps the verdict over a crash."""
    decision = finish(snapshot, judged, now)
    close = tuple(each for each in decision.actions if isinstance(each, actions.CloseRun))
    todo = (*close, end_pod(snapshot, pod))
    return Decision(todo, decision.status, decision.notes, decision.wake_at)


def cancellation(snapshot: JobSnapshot) -> Ended | None:
    """Why the Job is to end although it might go on; None where nobody wants that."""
    spec = snapshot.spec
    if agent_was_deleted(snapshot):
        return Ended("Cancelled", "AgentDeleted", "the Agent of this Job was deleted")
    if not isinstance(spec, UserError) and spec.cancel:
        return Ended("Cancelled", "Cancelled", "spec.cancel is true")
    by = manifest.cancelled_by(snapshot.metadata)
    return None if by is None else Ended("Cancelled", "Cancelled", by)


def agent_was_deleted(snapshot: JobSnapshot) -> bool:
    """Its own Agent, not a former one of that name: the Job belongs to one that is not younger."""
    made_at, deleted_at = snapshot.metadata.creation_timestamp, snapshot.agent_deleted_at
    if deleted_at is None or deleted_at < made_at:
        return False
    return snapshot.agent is None or snapshot.agent.created_at > made_at


def note(judged: Ended) -> tuple[Note, ...]:
    """What people are told of a failure."""
    if judged.outcome in ("Succeeded", "Cancelled"):
        return ()
    return (Note("Warning", judged.reason, judged.message or judged.reason),)


def _first_expiry(snapshot: JobSnapshot, now: datetime) -> datetime | None:
    """When to look again at a Job that ends now; None where it is kept for good."""
    spec = snapshot.spec
    if isinstance(spec, UserError) or spec.ttl_seconds_after_finished is None:
        return None
    return now + timedelta(seconds=max(1, spec.ttl_seconds_after_finished))


def _is_unknown(snapshot: JobSnapshot, run: RunFacts) -> bool:
    return outcome.unknown(run, repeatable=_is_repeatable(snapshot))


def _is_repeatable(snapshot: JobSnapshot) -> bool:
    return manifest.is_repeatable(snapshot.valid_spec)


def _used(snapshot: JobSnapshot, judged: Ended) -> int:
    return snapshot.status.attempts_used + (1 if judged.uses_attempt else 0)


def end_pod(snapshot: JobSnapshot, pod: PodSeen) -> actions.Action:
    """End exactly this pod."""
    return actions.DeletePod(snapshot.key.namespace, pod.name, pod.uid)
