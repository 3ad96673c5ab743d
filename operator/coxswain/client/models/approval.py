# Made by hack/generate from operator/coxswain/sidecar; do not edit.
"""Answers of the API: approval."""

from datetime import datetime
from typing import Any

from coxswain.api.meta import Model


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


class CallView(Model):
    """A call of a tool that an agent asks people about, and how far it is."""

    workspace: str
    """Its namespace."""
    name: str
    """Name of the Job."""
    id: str
    """Uid of the Job."""
    attempt: int
    """The attempt that asks; another one asks anew."""
    agent: str
    """Name of the Agent."""
    tool: str
    """What is to be called."""
    arguments: str
    """With what, whole: what people agree to."""
    hash: str
    """Stands for attempt, tool and arguments."""
    state: str
    """ApprovalPending, Approved, ApprovalDenied, ApprovalTimeout, ApprovalImpossible, or
    ApprovalOver where the run ended first.
    """
    message: str
    """More, for people."""
    required: int
    """How many have to agree."""
    approvers: list[str]
    """Whose word counts."""
    requester: str | None = None
    """Who made the Job; none where it was not made through this API."""
    asked_at: datetime
    """When the agent asked."""
    until: datetime
    """When the call is refused, if not enough have agreed."""
    given: list[WordView]
    """What was said about it."""


class ApprovalList(Model):
    """What waits for agreement, oldest first; at most 500 Jobs and 200 calls."""

    items: list[ApprovalView]
    """Jobs, before their first attempt."""
    calls: list[CallView]
    """Calls of tools, in the middle of one."""


class CallList(Model):
    """Calls that agents asked about; at most 200."""

    items: list[CallView]
