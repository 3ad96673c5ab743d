"""What people and this API say to each other about API keys."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints

from coxswain.api.meta import Model, Name, QueueName, Reason
from coxswain.store.api_keys import ApiKey

KeyId = Annotated[str, StringConstraints(pattern="^[a-z0-9]{16}$")]
MachineName = Annotated[
    str, StringConstraints(max_length=63, pattern="^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
]
KeyRole = Literal["Read", "Admin"]


class KeyPath(Model):
    """Names a key."""

    key: KeyId
    """Its id."""


class RevokeRequest(Model):
    """Why a key is ended."""

    reason: Reason
    """For people."""


class KeyQuery(Model):
    """Which keys, and from where on."""

    limit: Annotated[int, Field(ge=1, le=500)] = 100
    """Keys on a page."""
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = None
    """``next`` of the page before."""
    revoked: bool = False
    """Whether to list those too that were revoked."""


class NewApiKeyBody(Model):
    """A key that is to be."""

    name: MachineName
    """Name of the machine. Keys of the same name are the same machine: make a second one before you
    revoke the first."""
    role: KeyRole
    """Read changes nothing; Admin may do what an admin may, but agree to nothing and make no keys."""
    workspaces: Annotated[list[Name], Field(min_length=1, max_length=100)] | None = None
    """Where it counts; none means in all."""
    queues: Annotated[list[QueueName], Field(min_length=1, max_length=32)] | None = None
    """Queues whose Jobs it may make and act on; none means all. It may read the others."""
    expires_at: AwareDatetime | None = None
    """Until when it counts; none means until it is revoked."""


class KeyView(Model):
    """A key, without itself."""

    id: str
    """Its id: the part of the key between the first two underscores."""
    name: str
    """Name of the machine."""
    role: KeyRole
    """Read or Admin."""
    workspaces: list[str] | None = None
    """Where it counts; none means in all."""
    queues: list[str] | None = None
    """Queues whose Jobs it may make and act on; none means all."""
    state: Literal["Live", "Expired", "Revoked"]
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

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """A key as people read it."""
        return cls.model_validate(
            {
                **{name: value for name, value in vars(key).items() if name in cls.model_fields},
                "state": _state(key),
            }
        )


class MadeKey(KeyView):
    """A key as it is shown, once."""

    secret: str
    """The key itself. It is not kept, and nobody can read it again."""


class KeyList(Model):
    """A page of keys, newest first."""

    items: list[KeyView]
    next: str | None = None
    """Give it as ``cursor`` for the next page; none on the last one."""


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "Revoked"
    return "Expired" if key.has_expired else "Live"
