"""What memory and the records say of the agreement that a Job needs."""

from coxswain import names
from coxswain.api.conditions import ConditionType, Seen
from coxswain.api.job import TERMINAL, JobSpec
from coxswain.api.records import Given
from coxswain.errors import UnavailableError
from coxswain.reconcile.key import Key
from coxswain.reconcile.world import World
from coxswain.rules import approvals
from coxswain_controllers.job.form import JobForm
from coxswain_controllers.job.snapshot import ApprovalSeen

KIND = ConditionType.RECORDS_AVAILABLE


def asks_people(job: JobForm) -> bool:
    """Whether people have a say yet: before the first attempt."""
    if job.status.attempts or job.status.phase in TERMINAL:
        return False
    return isinstance(job.spec, JobSpec) and job.spec.approval is not None


async def given(world: World, key: Key) -> tuple[tuple[Given, ...], Seen]:
    """What they said, and whether the records answered."""
    try:
        return await world.records.approvals(key.uid), Seen(KIND, "True", "Available")
    except UnavailableError as error:
        return (), Seen(KIND, "False", "Unavailable", error.message)


def seen(world: World, key: Key, job: JobForm, said: tuple[Given, ...]) -> ApprovalSeen | None:
    """All that the decision goes by; None where nobody has a say."""
    raw = world.cache.get("Job", key.uid)
    if raw is None or not asks_people(job):
        return None
    requester = job.metadata.annotations.get(names.ANNOTATION_REQUESTER)
    return ApprovalSeen(requester, approvals.shown_hash(raw.get("spec") or {}, requester), said)
