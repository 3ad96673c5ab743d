"""Jobs that wait for something of their own hold no place in their Agent's line. Pure."""

from coxswain.api.job import JobPhase, JobSpec
from coxswain_controllers.job import approval, dependencies, suspension
from coxswain_controllers.job.snapshot import JobSnapshot


def stands_aside(snapshot: JobSnapshot) -> bool:
    """Whether others may go first, whatever their age: nobody knows when this one goes on."""
    if snapshot.status.phase is JobPhase.REVIEW:
        return True
    if any(dependencies.pending(snapshot)):
        return True
    if suspension.why(snapshot) is not None:
        return True
    return isinstance(snapshot.spec, JobSpec) and approval.is_pending(snapshot)
