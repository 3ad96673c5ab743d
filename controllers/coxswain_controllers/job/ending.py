"""How an attempt is judged and ended, and a Job with it. Pure."""

from datetime import datetime, timedelta

from coxswain import names
from coxswain.api.conditions import ConditionType, Seen
from coxswain.api.contract import RunResult
from coxswain.errors import UserError
from coxswain.reconcile import actions, instants
from coxswain.reconcile.decision import Decision, Note
from coxswain.rules import outcome, retry
from coxswain.rules.failures import OUTCOME_UNKNOWN
from coxswain.rules.outcome import Ended, RunFacts
from coxswain_controllers.job import gates, manifest, review, status
from coxswain_controllers.job.snapshot import JobSnapshot, PodSeen

# A run that began, whose row is lost and whose pod is gone: nobody knows what it has done.
LOST_ROW = RunFacts(claimed=True, acts_open=("what the lost record would tell",))


def judge(snapshot: JobSnapshot, now: datetime) -> Ended:
    """How the attempt in question ended, by its pod and its run row."""
    pod, entry = snapshot.pod, snapshot.open_attempt
    run = snapshot.run or (RunFacts() if pod is not None else LOST_ROW)
    began = instants.read(entry.started_at) if entry is not None else None
    judged = outcome.judge(
        None if pod is None else pod.end or pod.given_up,
        run,
        timed_out=began is not None and now >= began + snapshot.timeout,
        repeatable=is_repeatable(snapshot),
    )
    return not_blindly(snapshot, judged, run)


def not_blindly(snapshot: JobSnapshot, judged: Ended, run: RunFacts | None) -> Ended:
    """The same judgement, but Unknown where a retry might do a side effect a second time."""
    policy = snapshot.valid_spec.retry
    is_due = retry.is_due(judged, policy, used=_used(snapshot, judged), lost=0)
    is_blind = run is not None and outcome.unknown(run, repeatable=is_repeatable(snapshot))
    if run is None or not (is_due and is_blind and judged.outcome == "Failed"):
        return judged
    return unknown(judged, run)


def unknown(judged: Ended, run: RunFacts) -> Ended:
    """The judgement on an attempt that ended so in the middle of an act."""
    begun = ", ".join(run.acts_open)
    text = f"{judged.message}; it is not known whether this was done: {begun}"
    return Ended("Failed", OUTCOME_UNKNOWN, text, judged.exit_code)


def finish(snapshot: JobSnapshot, judged: Ended, now: datetime) -> Decision:
    """End the attempt, and the Job unless another attempt is due."""
    todo = closing(snapshot, judged)
    lost = sum(1 for each in snapshot.status.attempts if each.outcome == "Lost")
    lost += 1 if judged.outcome == "Lost" else 0
    if cancellation(snapshot) is None:
        if _another_is_due(snapshot, judged, lost):
            return _another(snapshot, judged, todo, now)
        why = review.wanted(snapshot, judged)
        if why is not None:
            return _under_review(snapshot, judged, why, todo, now)
    if judged.outcome == "Lost":
        text = f"{lost} pods were taken away before they posted a result"
        judged = Ended("Failed", "PodLost", text, is_lost=True)
    found = status.ended(snapshot, judged, _gates(snapshot), now)
    return Decision(todo, found, note(judged), wake_at=first_expiry(snapshot, now))


def _gates(snapshot: JobSnapshot) -> tuple[Seen, ...]:
    """An attempt has its row once every gate is open; a quota may have refused its pod since."""
    is_past = status.has_begun(snapshot) and snapshot.refusal is None
    return gates.passed(snapshot) if is_past else gates.unasked(snapshot)


def _another_is_due(snapshot: JobSnapshot, judged: Ended, lost: int) -> bool:
    """Whether another attempt follows, by the table or by the rule for an unknown outcome."""
    policy, used = snapshot.valid_spec.retry, _used(snapshot, judged)
    if judged.reason == OUTCOME_UNKNOWN and snapshot.valid_spec.review.on_unknown == "Retry":
        return used < policy.max_attempts
    return retry.is_due(judged, policy, used=used, lost=lost)


def _another(
    snapshot: JobSnapshot, judged: Ended, todo: tuple[actions.Action, ...], now: datetime
) -> Decision:
    used, run = _used(snapshot, judged), names.run_id(snapshot.key.uid, snapshot.number)
    wait = retry.delay_seconds(judged, snapshot.valid_spec.retry, used=used, seed=run)
    at = now + timedelta(seconds=wait)
    passed = gates.passed(snapshot, before=ConditionType.BACK_OFF)
    found = status.retrying(snapshot, judged, passed, at, now)
    return Decision(todo, found, note(judged), at)


def _under_review(
    snapshot: JobSnapshot,
    judged: Ended,
    why: Ended,
    todo: tuple[actions.Action, ...],
    now: datetime,
) -> Decision:
    text = review.message(why.message)
    found = status.under_review(snapshot, judged, why, text, now)
    is_decided = names.ANNOTATION_REVIEW in snapshot.metadata.annotations
    return Decision(todo, found, (Note("Warning", why.reason, text),), now if is_decided else None)


def closing(snapshot: JobSnapshot, judged: Ended) -> tuple[actions.Action, ...]:
    """Close the run row with the verdict; keep the log of a pod that posted no result."""
    key, number, pod = snapshot.key, snapshot.number, snapshot.pod
    if snapshot.run is None and pod is None:
        return ()
    result = snapshot.run.result if snapshot.run is not None else None
    is_gone = pod is None or pod.end is not None
    close = actions.CloseRun(key.uid, number, outcome.verdict(judged), result is not None, is_gone)
    if pod is None or not _has_log_to_keep(pod, result):
        return (close,)
    ended_at = pod.ended_at or pod.created_at
    return (close, actions.KeepLog(key.namespace, key.name, pod.name, key.uid, number, ended_at))


def _has_log_to_keep(pod: PodSeen, result: RunResult | None) -> bool:
    """A program that posted its result had its say; what a door says for it is not that."""
    return result is None or (pod.has_door and result.reason == outcome.TERMINATED)


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
    if snapshot.displaced is not None:
        return Ended("Cancelled", "Displaced", snapshot.displaced.reason)
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


def first_expiry(snapshot: JobSnapshot, now: datetime) -> datetime | None:
    """When to look again at a Job that ends now; None where it is kept for good."""
    spec = snapshot.spec
    if isinstance(spec, UserError) or spec.ttl_seconds_after_finished is None:
        return None
    return now + timedelta(seconds=max(1, spec.ttl_seconds_after_finished))


def is_repeatable(snapshot: JobSnapshot) -> bool:
    """Whether what it does may be done a second time blindly."""
    return manifest.is_repeatable(snapshot.valid_spec, snapshot.contract)


def _used(snapshot: JobSnapshot, judged: Ended) -> int:
    return snapshot.status.attempts_used + (1 if judged.uses_attempt else 0)


def end_pod(snapshot: JobSnapshot, pod: PodSeen) -> actions.Action:
    """End exactly this pod."""
    grace = None if snapshot.displaced is None else snapshot.displaced.grace_seconds
    return actions.DeletePod(snapshot.key.namespace, pod.name, pod.uid, grace)
