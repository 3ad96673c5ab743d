"""The kind Lease: the exclusive right to a named resource, with a fencing token that only grows.

The object says what the resource is and shows who holds it. Who holds it is decided in Postgres, by
the database's clock alone: renewals never touch the object.
"""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from coxswain.api.conditions import Condition
from coxswain.api.meta import ListMap, Model, Rule, unchanged

VISIBLE = r"^[!-~]+$"
RUN_TTL_SECONDS = 30
"""A Job's run says every 10 s that it lives: a shorter time would end while all is well."""

Resource = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=VISIBLE)]
HolderName = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=VISIBLE)]
Instant = Annotated[str, StringConstraints(max_length=40)]


class LeaseSpec(Model):
    """What may be held, and for how long without a sign of life."""

    RULES: ClassVar = (
        Rule(unchanged("resource"), "resource is fixed once the Lease is made; make another Lease"),
    )

    resource: Resource
    """What the holder alone may change, in words of your own, such as git:reports/main. One Lease
    of a workspace stands for it."""
    ttl_seconds: Annotated[int, Field(ge=1, le=86400)] = 60
    """So long a holder keeps it after its last renewal. Jobs take Leases of 30 seconds or more."""
    holder: HolderName | None = None
    """Holds it as soon as it is free, without renewal, until it is taken out of here; others wait."""
    steal_after_seconds: Annotated[int, Field(ge=1, le=31536000)] | None = None
    """Who asks for it with ``steal`` gets it from a holder of so long, even if that one renews; none
    lets nobody steal. A declared holder is never stolen from."""
    quarantine_seconds: Annotated[int, Field(ge=1, le=31536000)] | None = None
    """So long it stays Quarantined before it may be taken anew; none waits until the former holder
    is surely gone, or a person decides."""


class LeaseState(StrEnum):
    """Who may act on the resource."""

    FREE = "Free"
    HELD = "Held"
    EXPIRED = "Expired"
    QUARANTINED = "Quarantined"


class LeaseStatus(Model):
    """What is, as of the last change of state; renewals are not written here."""

    state: LeaseState | None = None
    """Free and Expired may be taken; Expired says that the last holder did not let go of it itself.
    Quarantined: nobody knows whether the former holder still acts."""
    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation of the spec that this status is about."""
    conditions: Annotated[list[Condition], Field(max_length=8), ListMap("type")] = []
    """What is observed; Ready says whether it can be taken and held as the spec says."""
    holder: Annotated[str, StringConstraints(max_length=512)] | None = None
    """Who holds it: user:NAME, job:NAME/ATTEMPT or declared:NAME; while it is Quarantined, who did."""
    token: Annotated[int, Field(ge=0)] = 0
    """The fencing token of the present or last holder. Each holder gets a larger one."""
    acquired_at: Instant | None = None
    """Since when, RFC 3339."""
    expires_at: Instant | None = None
    """Until when, if nobody had renewed it since this was written; none where it needs no renewal."""
    waiters: Annotated[int, Field(ge=0)] = 0
    """How many stood in its line when this was written."""
