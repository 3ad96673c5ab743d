"""What people and this API say to each other about agreement."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import StringConstraints

from coxswain.api.meta import Model, Text


class ApprovalRequest(Model):
    """A person's word, bound to what was shown."""

    hash: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
    """``hash`` of what was read by GET: if the Job is another one meanwhile, the word is refused."""
    reason: Text | None = None
    """Why, for people."""


class WordView(Model):
    """What somebody said."""

    approver: str
    """Who."""
    approved: bool
    """Whether they agreed."""
    reason: str
    """Why."""
    at: datetime
    """When."""


class ApprovalView(Model):
    """A Job that needs agreement, and how far it is."""

    workspace: str
    """Its namespace."""
    name: str
    """Its name."""
    id: str
    """Its uid."""
    state: str
    """ApprovalPending, Approved, ApprovalDenied, ApprovalTimeout or ApprovalImpossible."""
    message: str
    """More, for people."""
    hash: str
    """Stands for the spec as shown here."""
    required: int
    """How many have to agree."""
    approvers: list[str]
    """Whose word counts."""
    requester: str | None = None
    """Who made the Job; none where it was not made through this API."""
    until: datetime
    """When it fails, if not enough have agreed."""
    given: list[WordView]
    """What was said about it as it is."""
    spec: dict[str, Any]
    """What they agree to."""


class ApprovalList(Model):
    """Jobs that wait for agreement, oldest first; at most 500."""

    items: list[ApprovalView]
