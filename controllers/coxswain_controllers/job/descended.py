"""A Job that comes from others, one after the other, or that is one too many of one. Pure."""

from datetime import datetime

from coxswain.rules.outcome import Ended
from coxswain_controllers.job.snapshot import JobSnapshot


def failure(snapshot: JobSnapshot, _now: datetime) -> Ended | None:
    """Why a Job of this descent does not start: whatever makes it does not come to an end."""
    seen = snapshot.descent
    if seen is None or snapshot.status.attempts:
        return None
    if seen.problem is not None:
        return Ended("Failed", "Invalid", seen.problem)
    if seen.depth > seen.max_depth:
        text = (
            f"{seen.depth} Jobs came from each other, {seen.max_depth} are allowed"
            " (limits.maxLineageDepth); find out what makes them, and make a Job of its own"
        )
        return Ended("Failed", "LineageTooDeep", text)
    if seen.ahead >= seen.max_children:
        text = (
            f"{seen.ahead} other Jobs of {seen.parent} go first, {seen.max_children} are allowed"
            " (limits.maxJobsFromOne); delete some, or make a Job of its own"
        )
        return Ended("Failed", "LineageTooWide", text)
    return None
