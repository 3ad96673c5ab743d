"""Events of Jobs: edges of their life, and their attempts. Replayed they give the recorded Job."""

from coxswain.api.event_type import EventType
from coxswain.api.job import JobPhase
from coxswain.api.meta import Model


class Nothing(Model):
    """No data: the type says it all."""


class Edge(Model):
    """An edge in the life of a Job."""

    phase: str
    """The phase that was entered."""
    reason: str | None = None
    """Why, in one word."""
    message: str | None = None
    """Who wanted it and why, where a person did."""


class AttemptStarted(Model):
    """An attempt's pod runs."""

    pod: str
    """Its pod."""
    pod_uid: str | None = None
    """The uid of that pod."""


class AttemptEnded(AttemptStarted):
    """An attempt is over."""

    outcome: str | None = None
    """Succeeded, Failed, Cancelled or Lost."""
    reason: str | None = None
    """Why, in one word."""
    message: str | None = None
    """Why, in a sentence."""
    exit_code: int | None = None
    """The program's exit code, where there was one."""


JOB_CREATED = EventType("job.created", "A Job was made.", Nothing)
JOB_DELETED = EventType("job.deleted", "The object of a Job is no more.", Nothing)
JOB_QUEUED = EventType("job.queued", "A Job waits for its first attempt.", Edge)
JOB_RETRYING = EventType("job.retrying", "A Job waits for another attempt.", Edge)
JOB_RUNNING = EventType("job.running", "An attempt of a Job runs.", Edge)
JOB_REVIEW = EventType("job.review", "A Job waits for somebody who decides how it ended.", Edge)
JOB_SUCCEEDED = EventType("job.succeeded", "A Job has succeeded.", Edge)
JOB_FAILED = EventType("job.failed", "A Job has failed.", Edge)
JOB_CANCELLED = EventType("job.cancelled", "A Job was cancelled.", Edge)
ATTEMPT_STARTED = EventType("attempt.started", "The pod of an attempt runs.", AttemptStarted)
ATTEMPT_ENDED = EventType("attempt.ended", "An attempt is over.", AttemptEnded)

ENTERED = {
    JobPhase.QUEUED: JOB_QUEUED,
    JobPhase.RUNNING: JOB_RUNNING,
    JobPhase.REVIEW: JOB_REVIEW,
    JobPhase.SUCCEEDED: JOB_SUCCEEDED,
    JobPhase.FAILED: JOB_FAILED,
    JobPhase.CANCELLED: JOB_CANCELLED,
}
"""What is told when a Job enters a phase; Queued after an attempt is JOB_RETRYING."""
TYPES = (
    *(JOB_CREATED, JOB_DELETED, JOB_RETRYING, *ENTERED.values()),
    *(ATTEMPT_STARTED, ATTEMPT_ENDED),
)
