"""Events of Leases: each hand-over, with the token that it gave or took."""

from coxswain.api.event_type import EventType
from coxswain.api.event_types.job import Nothing
from coxswain.api.meta import Model


class LeaseChange(Model):
    """How a lease changed."""

    token: int
    """The fencing token: of its holder now, or of the one who had it."""
    resource: str
    """What the lease is about."""
    became: str
    """What it is now: Free, Held, Expired or Quarantined."""
    holder: str | None = None
    """Who holds it now: user:NAME, job:NAME/ATTEMPT or declared:NAME."""
    former_holder: str | None = None
    """Who held it."""
    reason: str | None = None
    """Why, in one word."""
    message: str | None = None
    """Why, as the person said who did it."""
    run: str | None = None
    """How the run ended that held it."""


LEASE_CREATED = EventType("lease.created", "A Lease was made.", Nothing, about="Lease")
LEASE_DELETED = EventType(
    "lease.deleted", "The object of a Lease is no more.", Nothing, about="Lease"
)
LEASE_ACQUIRED = EventType("lease.acquired", "A lease was given out.", LeaseChange, about="Lease")
LEASE_RELEASED = EventType(
    "lease.released", "Its holder let go of a lease.", LeaseChange, about="Lease"
)
LEASE_RECLAIMED = EventType(
    "lease.reclaimed",
    "A lease was taken from its holder.",
    LeaseChange,
    about="Lease",
    is_security=True,
)
LEASE_QUARANTINED = EventType(
    "lease.quarantined",
    "Nobody knows whether the holder of a lease still acts.",
    LeaseChange,
    about="Lease",
    is_security=True,
)
LEASE_RECOVERED = EventType(
    "lease.recovered", "The holder of a lease, who was in doubt, lives.", LeaseChange, about="Lease"
)
TYPES = (
    *(LEASE_CREATED, LEASE_DELETED, LEASE_ACQUIRED, LEASE_RELEASED),
    *(LEASE_RECLAIMED, LEASE_QUARANTINED, LEASE_RECOVERED),
)
