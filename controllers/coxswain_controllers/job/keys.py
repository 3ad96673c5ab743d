"""Whose an idempotency key is, as a Job sees it. Pure."""

from coxswain.rules import idempotency
from coxswain.rules.outcome import Ended
from coxswain_controllers.job.snapshot import KeyClaim


def is_own(claim: KeyClaim) -> bool:
    """The key stands for this very object."""
    return claim.standing is not None and claim.standing.job_uid == claim.wanted.job_uid


def refusal(claim: KeyClaim) -> Ended | None:
    """How the Job ends where its key stands for another one: a copy is cancelled, a misuse fails."""
    standing, wanted = claim.standing, claim.wanted
    if standing is None or is_own(claim):
        return None
    if standing.job_uid is None and standing.job_name == wanted.job_name:
        return None
    if standing.payload_hash == wanted.payload_hash:
        return Ended("Cancelled", "Duplicate", idempotency.duplicate(standing))
    return Ended("Failed", "IdempotencyKeyReused", idempotency.reused(standing).message)
