"""The life of a Job as one table of edges; anything else is a bug."""

from coxswain.api.job import TERMINAL, JobPhase

EDGES: dict[JobPhase | None, frozenset[JobPhase]] = {
    None: frozenset({JobPhase.QUEUED}),
    JobPhase.QUEUED: frozenset({JobPhase.RUNNING, JobPhase.FAILED, JobPhase.CANCELLED}),
    JobPhase.RUNNING: frozenset(
        {JobPhase.QUEUED, JobPhase.SUCCEEDED, JobPhase.FAILED, JobPhase.CANCELLED}
    ),
    **{phase: frozenset() for phase in TERMINAL},
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
