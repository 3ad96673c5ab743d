"""What a pass might see of a Job: ``waiting()``, ``running()``, and what follows a decision."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from coxswain.api.conditions import ConditionType, Seen, Status
from coxswain.api.contract import ResultStatus, RunResult
from coxswain.api.job import JobStatus
from coxswain.reconcile import key
from coxswain.reconcile.decision import Decision
from coxswain.rules.outcome import PodEnd, RunFacts
from coxswain_controllers.job import form
from coxswain_controllers.job.decide import decide
from coxswain_controllers.job.snapshot import AgentSeen, JobSnapshot, PodSeen, Used
from tests.support import builders
from tests.support.builders import AgentBuilder, JobBuilder

CREATED = datetime(2026, 11, 21, 3, tzinfo=UTC)
NOW = CREATED + timedelta(minutes=1)
PLATFORM = builders.platform()
CLAIMED = RunFacts(claimed=True)
BADLY = PodEnd(succeeded=False, exit_code=3)
WELL = PodEnd(succeeded=True, exit_code=0)


def at(seconds: float) -> datetime:
    """So long after ``NOW``."""
    return NOW + timedelta(seconds=seconds)


def waiting(job: JobBuilder | None = None, **seen: Any) -> JobSnapshot:
    """A Job without a pod, for which every gate is open; ``seen`` says what is different."""
    raw = (job or builders.job()).raw
    found = form.of_job(raw)
    known = JobSnapshot(
        key=key.of("Job", raw),
        metadata=found.metadata,
        spec=found.spec,
        status=found.status,
        agent=agent(),
        agent_deleted_at=None,
        pod=None,
        former=(),
        done=(),
        run=None,
        token=0,
        records=condition(ConditionType.RECORDS_AVAILABLE, "True", "Available"),
        sandbox=condition(ConditionType.SANDBOX_READY, "True", "Ready"),
        runtime_classes=frozenset(),
        used=Used(),
        full=(),
        quotas=(),
        refusal=None,
        is_recorded=True,
    )
    return replace(known, **seen)


def starting(job: JobBuilder | None = None, **pod_seen: Any) -> JobSnapshot:
    """Its row is written and its pod made at ``NOW``; the pod does not run yet."""
    known = waiting(job)
    return replace(known, pod=pod(known, **pod_seen), token=1)


def running(job: JobBuilder | None = None, **seen: Any) -> JobSnapshot:
    """Its pod runs since ``NOW`` and has claimed its row; the status tells of it."""
    known = starting(job, running_since=NOW)
    known = replace(known, run=CLAIMED)
    return replace(follow(known, decide(known, PLATFORM, NOW)), **seen)


def ended(job: JobBuilder | None = None, end: PodEnd = BADLY, **seen: Any) -> JobSnapshot:
    """Its pod ran from ``NOW`` and ended 20 s later."""
    known = running(job)
    over = pod(known, running_since=NOW, ended_at=at(20), end=end)
    return replace(known, pod=over, **seen)


def follow(snapshot: JobSnapshot, decision: Decision, **seen: Any) -> JobSnapshot:
    """The same once the status of the decision is written."""
    if decision.status is None:
        return replace(snapshot, **seen)
    return replace(snapshot, status=JobStatus.model_validate(decision.status), **seen)


def pod(snapshot: JobSnapshot, **seen: Any) -> PodSeen:
    """The pod of the attempt in question, made at ``NOW``."""
    name = snapshot.pod_name
    known = PodSeen(
        name=name,
        uid=builders.uid_of("Pod", name),
        attempt=snapshot.number,
        created_at=NOW,
        running_since=None,
        ended_at=None,
        end=None,
        is_deleting=False,
        waits_for=None,
    )
    return replace(known, **seen)


def agent(builder: AgentBuilder | None = None, ready: Seen | None = None) -> AgentSeen:
    """The Agent of the Job, ready if nothing else is said."""
    parsed = (builder or builders.agent()).parsed
    word = ready or condition(ConditionType.AGENT_READY, "True", "Ready")
    return AgentSeen(parsed.metadata.uid, parsed.metadata.creation_timestamp, parsed.spec, word)


def condition(kind: ConditionType, status: Status, reason: str, message: str = "") -> Seen:
    """A condition as a pass sees it."""
    return Seen(kind, status, reason, message)


def posted(status: str, **more: Any) -> RunFacts:
    """A run row with a result."""
    return RunFacts(claimed=True, result=RunResult(status=ResultStatus(status), **more))


NO_RECORDS = condition(ConditionType.RECORDS_AVAILABLE, "False", "Unavailable", "no answer")
