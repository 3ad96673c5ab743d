"""Which Jobs a leader that starts need not pass over: told from raw objects, since there may be many. Pure."""

from collections.abc import Iterable

from coxswain.reconcile import phases
from coxswain.reconcile.cache import Raw

DUE = ("ttlSecondsAfterFinished", "retain", "leases")
"""What has a pass do something about a Job that has ended, now or later."""


def rests(job: Raw, its_pods: Iterable[Raw], agent: Raw | None) -> bool:
    """Whether a pass would do nothing until the Job, a pod of it or its Agent changes, which wakes it.

    That the records hold it is seen to by the comparison with the mirror. A pod holds the home of an
    Agent that was deleted, so beside pods the Agent has to be there, and no younger than the Job.
    """
    metadata, status, spec = job["metadata"], job.get("status") or {}, job.get("spec") or {}
    is_new = status.get("observedGeneration") != metadata.get("generation")
    if not phases.has_ended(job) or is_new or any(spec.get(each) is not None for each in DUE):
        return False
    left = list(its_pods)
    if not all(phases.has_ended(each) for each in left):
        return False
    return not left or (agent is not None and _made_at(agent) <= _made_at(job))


def _made_at(raw: Raw) -> str:
    """In seconds and UTC, so texts can be compared."""
    return str(raw["metadata"]["creationTimestamp"])
