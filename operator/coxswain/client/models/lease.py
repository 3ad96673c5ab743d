# Made by hack/generate from operator/coxswain/sidecar; do not edit.
"""Answers of the API: lease."""

from datetime import datetime

from coxswain.api.meta import Model


class LeaseView(Model):
    """A lease as it is at this moment, by the database's clock."""

    workspace: str
    """Where it is."""
    name: str
    """Its name."""
    id: str
    """The uid of its object."""
    resource: str
    """What its holder alone may change."""
    state: str
    """Free and Expired may be taken."""
    reason: str | None = None
    """Why it is Quarantined, in one word."""
    holder: str | None = None
    """Who holds it: user:NAME, job:NAME/ATTEMPT or declared:NAME."""
    former_holder: str | None = None
    """Who held it before."""
    token: int
    """The fencing token of the present or last holder."""
    ttl_seconds: int
    """So long it is kept after a renewal."""
    acquired_at: datetime | None = None
    """Since when it is held."""
    renewed_at: datetime | None = None
    """The last sign of life of its holder."""
    expires_at: datetime | None = None
    """Until when, unless it is renewed; none where it needs no renewal."""
    seconds_left: int | None = None
    """The same, counted from now, in whole seconds."""
    waiters: int
    """How many stand in its line."""


class LeaseList(Model):
    """A page of leases, by workspace and name."""

    items: list[LeaseView]
    next: str | None = None
    """Give it as ``cursor`` for the next page; none on the last one."""


class RefusedRenewal(Model):
    """A lease of a batch that was not renewed."""

    name: str
    """Its name."""
    code: str
    """Stable, for programs."""
    message: str
    """For people: who holds it, and what to do."""


class RenewAnswer(Model):
    """What came of a batch; each lease by itself."""

    renewed: list[LeaseView]
    refused: list[RefusedRenewal]
