"""Events of what people said about a Job, or about a call in it."""

from coxswain.api.event_type import EventType
from coxswain.api.meta import Model


class Said(Model):
    """A person's word; who it was stands in ``actor``."""

    hash: str
    """Stands for what was shown to the person."""
    reason: str = ""
    """Why."""


APPROVAL_GIVEN = EventType("approval.given", "Somebody agreed.", Said, is_security=True)
APPROVAL_DENIED = EventType("approval.denied", "Somebody said no.", Said, is_security=True)
TYPES = (APPROVAL_GIVEN, APPROVAL_DENIED)
