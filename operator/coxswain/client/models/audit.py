# Made by hack/generate from operator/coxswain/sidecar; do not edit.
"""Answers of the API: audit."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from coxswain.api.meta import Model


class ActorView(Model):
    """Who."""

    kind: str
    """user, agent, pod, operator, anonymous or others."""
    name: str
    """Its name; of agents and pods WORKSPACE/NAME."""


class ObjectView(Model):
    """What an act was about."""

    kind: str
    """Its kind."""
    name: str
    """Its name, as far as it was known."""
    uid: str
    """Its id, as far as it was known."""


class AuditView(Model):
    """A row of the audit log."""

    id: str
    """Its id."""
    at: datetime
    """When it was written, by the database's clock."""
    workspace: str
    """Where; empty for what belongs to none."""
    actor: ActorView
    action: str
    """What was asked for: an operation's name, or an event's type."""
    outcome: str
    """begun, done, denied or failed."""
    begun_by: str | None = None
    """The row that this one ends."""
    object: ObjectView
    reason: str | None = None
    """Why, as the actor said."""
    request_id: str | None = None
    """The request's id, as in logs."""
    hashes: Mapping[str, str | None]
    """SHA-256 of what is not kept itself."""
    details: dict[str, Any]
    """More."""
    seal: int | None = None
    """The seal of its workspace that covers it; none yet if there is none."""


class AuditPage(Model):
    """Rows of the audit log, newest first."""

    items: list[AuditView]
    next: str | None = None
    """Cursor of the next page; none on the last one."""


class AuditKeyView(Model):
    """A key that seals are signed with."""

    id: str
    """Its name in seals."""
    public_key: str
    """Ed25519, 32 bytes in hexadecimal."""
    since: datetime
    """When it was first seen."""


class AuditKeys(Model):
    """All keys that seals were ever signed with, oldest first."""

    items: list[AuditKeyView]
