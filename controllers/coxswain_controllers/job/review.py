"""A Job in Review: its attempt has ended, and a person decides what follows. Pure.

The decision is an annotation that names the attempt which was looked at; one about another attempt,
or one that nobody can read, counts for nothing and is named in the condition Ready.
"""

from datetime import datetime

from pydantic import ValidationError

from coxswain import names
from coxswain.api.conditions import ConditionType, find
from coxswain.api.job import JobPhase
from coxswain.api.review import ReviewDecision, Verdict
from coxswain.reconcile.decision import NOTHING, Decision, Note
from coxswain.rules.failures import OUTCOME_UNKNOWN
from coxswain.rules.outcome import Ended
from coxswain.sandbox.pod import Platform
from coxswain_controllers.job import status
from coxswain_controllers.job.snapshot import JobSnapshot

REQUESTED = "ReviewRequested"
REVIEWED = "Reviewed"
HOW = f"decide retry, succeed, fail or cancel: POST .../review, or annotation {names.ANNOTATION_REVIEW}"
OUTCOMES = {Verdict.SUCCEED: "Succeeded", Verdict.FAIL: "Failed", Verdict.CANCEL: "Cancelled"}


def wanted(snapshot: JobSnapshot, judged: Ended) -> Ended | None:
    """Why a person has to look at an attempt that ended so; None where nobody has to."""
    rule = snapshot.valid_spec.review
    if judged.reason == OUTCOME_UNKNOWN and judged.outcome == "Failed":
        return judged if rule.on_unknown == "Ask" else None
    if judged.outcome == "Succeeded" and rule.required:
        return Ended(
            "Succeeded", REQUESTED, "the attempt succeeded; spec.review wants a person's word"
        )
    return None


def is_open(snapshot: JobSnapshot, _platform: Platform, now: datetime) -> Decision | None:
    """The Job is in Review: do what a person decided, or say what may be decided."""
    if snapshot.status.phase is not JobPhase.REVIEW:
        return None
    decided, ignored = _decision(snapshot)
    if decided is None:
        return _waits(snapshot, ignored, now)
    told = _told(decided)
    if decided.decision is Verdict.RETRY:
        return Decision(status=status.queued_again(snapshot, REVIEWED, told, now), wake_at=now)
    ended = Ended(OUTCOMES[decided.decision], REVIEWED, told)  # type: ignore[arg-type]  # an outcome
    return Decision(status=status.reviewed(snapshot, ended, now))


def _decision(snapshot: JobSnapshot) -> tuple[ReviewDecision | None, str]:
    """What a person decided about this attempt, or why what stands there does not count."""
    text = snapshot.metadata.annotations.get(names.ANNOTATION_REVIEW)
    if text is None:
        return None, ""
    try:
        found = ReviewDecision.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "it"
        return None, f"the annotation is not understood, {place}: {first['msg']}"
    if found.attempt != snapshot.status.attempt:
        return (
            None,
            f"the decision of {found.by} is about attempt {found.attempt} and counts no more",
        )
    return found, ""


def _waits(snapshot: JobSnapshot, ignored: str, now: datetime) -> Decision:
    """Say it once, and again when what is ignored changes."""
    shown = find(snapshot.status.conditions, ConditionType.READY)
    reason = shown.reason if shown is not None else OUTCOME_UNKNOWN
    text = message(
        snapshot.status.attempts[-1].message if snapshot.status.attempts else "", ignored
    )
    generation = snapshot.metadata.generation
    is_known = shown is not None and (shown.message, shown.observed_generation) == (
        text,
        generation,
    )
    if is_known and not snapshot.shows_failure:
        return NOTHING
    notes = (Note("Warning", "ReviewIgnored", ignored),) if ignored else ()
    return Decision(status=status.in_review(snapshot, reason, text, now), notes=notes)


def message(why: str | None, ignored: str = "") -> str:
    """What a person reads: why it waits, what may be done, and what did not count."""
    return "; ".join(each for each in (why, HOW, ignored) if each)


def _told(decided: ReviewDecision) -> str:
    why = f": {decided.why}" if decided.why else ""
    return f"{decided.decision.value}, decided by {decided.by}{why}"
