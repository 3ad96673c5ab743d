"""The life of a Job as one table of edges; anything else is a bug. docs/lifecycle.md prints it."""

from typing import NamedTuple

from coxswain.api.job import JobPhase


class Edge(NamedTuple):
    """One step that a Job may take, and when it does."""

    before: JobPhase | None
    after: JobPhase
    when: str


TABLE = (
    Edge(None, JobPhase.QUEUED, "the object is made"),
    Edge(JobPhase.QUEUED, JobPhase.RUNNING, "the pod of an attempt runs"),
    Edge(JobPhase.QUEUED, JobPhase.FAILED, "it can never start, or its pod did not start in time"),
    Edge(JobPhase.QUEUED, JobPhase.CANCELLED, "somebody cancelled it, or its Agent was deleted"),
    Edge(JobPhase.RUNNING, JobPhase.QUEUED, "the attempt ended and another one is due"),
    Edge(
        JobPhase.RUNNING,
        JobPhase.REVIEW,
        "the outcome of a side effect is unknown, or spec.review.required asks for it",
    ),
    Edge(JobPhase.RUNNING, JobPhase.SUCCEEDED, "the attempt succeeded"),
    Edge(JobPhase.RUNNING, JobPhase.FAILED, "the attempt failed and no other one is due"),
    Edge(JobPhase.RUNNING, JobPhase.CANCELLED, "somebody cancelled it, or its Agent was deleted"),
    Edge(JobPhase.REVIEW, JobPhase.QUEUED, "a person decided: retry"),
    Edge(JobPhase.REVIEW, JobPhase.SUCCEEDED, "a person decided: succeed"),
    Edge(JobPhase.REVIEW, JobPhase.FAILED, "a person decided: fail"),
    Edge(
        JobPhase.REVIEW,
        JobPhase.CANCELLED,
        "a person decided: cancel; somebody cancelled it, or its Agent was deleted",
    ),
)

EDGES: dict[JobPhase | None, frozenset[JobPhase]] = {
    before: frozenset(edge.after for edge in TABLE if edge.before is before)
    for before in (None, *JobPhase)
}


def path(before: JobPhase | None, after: JobPhase) -> tuple[JobPhase, ...]:
    """The phases to enter, in order, to get from one to the other; empty where nothing changes.

    A pod that ends before anybody saw it run passes through Running all the same.
    Raises ValueError where the table has no way.
    """
    if before == after:
        return ()
    if after in EDGES[before]:
        return (after,)
    for middle in (JobPhase.QUEUED, JobPhase.RUNNING):
        if middle in EDGES[before] and middle != after:
            return (middle, *path(middle, after))
    raise ValueError(f"a Job cannot go from {before} to {after}")
