"""What one pass saw of a Lease."""

from dataclasses import dataclass
from enum import StrEnum

from coxswain.api import kind
from coxswain.api.conditions import Seen
from coxswain.api.kind import Metadata
from coxswain.api.lease import LeaseSpec, LeaseStatus
from coxswain.api.records import Lease
from coxswain.errors import UserError
from coxswain.reconcile.key import Key


class Former(StrEnum):
    """What is known of the pod of a run that held a lease."""

    GONE = "Gone"
    """It has ended, or is no more: it acts no longer."""
    RUNNING = "Running"
    OUT_OF_REACH = "OutOfReach"
    """Its node does not answer, or it is to end and does not."""
    UNKNOWN = "Unknown"
    """The holder was no run, or the records do not know which."""


@dataclass(frozen=True, slots=True)
class LeaseSnapshot:
    """Everything about one Lease at one moment."""

    key: Key
    metadata: Metadata
    lease: kind.Lease | UserError
    status: LeaseStatus
    records: Seen
    """The condition RecordsAvailable."""
    row: Lease | None
    """What the records hold under its name; None where there is nothing, or nobody answers."""
    taken_by: str | None = None
    """Another Lease of the workspace that stands for the same resource."""
    former: Former = Former.UNKNOWN
    """The pod of the holder of a row that is Quarantined."""

    @property
    def spec(self) -> LeaseSpec | None:
        """The spec, where it fits."""
        return None if isinstance(self.lease, UserError) else self.lease.spec
