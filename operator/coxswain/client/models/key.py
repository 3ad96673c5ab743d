# Made by hack/generate from operator/coxswain/sidecar; do not edit.
"""Answers of the API: key."""

from datetime import datetime

from coxswain.api.meta import Model


class KeyView(Model):
    """A key, without itself."""

    id: str
    """Its id: the part of the key between the first two underscores."""
    name: str
    """Name of the machine."""
    role: str
    """Read or Admin."""
    workspaces: list[str] | None = None
    """Where it counts; none means in all."""
    queues: list[str] | None = None
    """Queues whose Jobs it may make and act on; none means all."""
    state: str
    """Whether it opens anything."""
    made_by: str
    """Who made it."""
    made_at: datetime
    """When."""
    expires_at: datetime | None = None
    """Until when it counts."""
    revoked_by: str | None = None
    """Who revoked it."""
    revoked_at: datetime | None = None
    """When."""
    last_used_at: datetime | None = None
    """When it was last used, to the minute."""


class KeyList(Model):
    """A page of keys, newest first."""

    items: list[KeyView]
    next: str | None = None
    """Give it as ``cursor`` for the next page; none on the last one."""


class MadeKey(Model):
    """A key as it is shown, once."""

    id: str
    """Its id: the part of the key between the first two underscores."""
    name: str
    """Name of the machine."""
    role: str
    """Read or Admin."""
    workspaces: list[str] | None = None
    """Where it counts; none means in all."""
    queues: list[str] | None = None
    """Queues whose Jobs it may make and act on; none means all."""
    state: str
    """Whether it opens anything."""
    made_by: str
    """Who made it."""
    made_at: datetime
    """When."""
    expires_at: datetime | None = None
    """Until when it counts."""
    revoked_by: str | None = None
    """Who revoked it."""
    revoked_at: datetime | None = None
    """When."""
    last_used_at: datetime | None = None
    """When it was last used, to the minute."""
    secret: str
    """The key itself. It is not kept, and nobody can read it again."""
