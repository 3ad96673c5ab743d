"""Leases as people and programs read and ask for them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from coxswain.api.lease import HolderName, LeaseSpec, LeaseState
from coxswain.api.meta import LeaseName, Model, Reason
from coxswain.api.records import Lease
from coxswain.sidecar.wire import Labels, WorkspacePath

WAIT_SECONDS = 60
RENEWALS = 1000
Token = Annotated[int, Field(ge=1, lt=2**63)]


class LeasePath(WorkspacePath):
    """Names a lease."""

    name: LeaseName
    """Its name."""


class RunLeasePath(Model):
    """Names a lease of the workspace of the caller's run."""

    name: LeaseName
    """Its name."""


class LeaseQuery(Model):
    """Which leases, and from where on."""

    limit: Annotated[int, Field(ge=1, le=500)] = 100
    """Leases on a page."""
    cursor: Annotated[str, StringConstraints(max_length=400)] | None = None
    """``next`` of the page before."""
    state: LeaseState | None = None
    """Only leases in this state."""
    holder: Annotated[str, StringConstraints(max_length=512)] | None = None
    """Only leases of this holder, written as in ``holder`` of a lease."""


class NewLeaseMetadata(Model):
    """How a Lease is named and labelled."""

    name: LeaseName
    """Its name."""
    labels: Labels = Field(default_factory=dict)
    """Labels, for selections."""


class NewLeaseBody(Model):
    """A Lease as ``kubectl apply`` would take it; apiVersion and kind may be left out."""

    api_version: Literal["coxswain.dev/v1alpha1"] = "coxswain.dev/v1alpha1"
    kind: Literal["Lease"] = "Lease"
    metadata: NewLeaseMetadata
    spec: LeaseSpec


class RunAcquireRequest(Model):
    """How a run asks for a lease."""

    steal: bool = False
    """Take it from its holder, where ``spec.stealAfterSeconds`` allows that."""
    wait_seconds: Annotated[int, Field(ge=0, le=WAIT_SECONDS)] = 0
    """Stand in its line for so long. The place is kept if the same is asked again within 15 s."""


class AcquireRequest(RunAcquireRequest):
    """How a lease is asked for."""

    holder: HolderName | None = None
    """Which of one's programs asks: two that give the same are the same holder."""
    reason: Reason | None = Field(default=None, validate_default=True)
    """Why it is stolen, for people; ``steal`` wants one."""

    @field_validator("reason")
    @classmethod
    def _is_given_to_steal(cls, reason: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("steal") and reason is None:
            raise ValueError("say why it is taken from its holder")
        return reason


class RunHoldRequest(Model):
    """A run's claim to hold a lease."""

    token: Token
    """The token that was given with it."""


class HoldRequest(RunHoldRequest):
    """A claim to hold a lease."""

    holder: HolderName | None = None
    """As it was given when the lease was acquired."""


class Renewal(HoldRequest):
    """One lease of a batch."""

    name: LeaseName
    """Its name."""


class RenewRequest(Model):
    """Leases to renew at once."""

    renewals: Annotated[list[Renewal], Field(min_length=1, max_length=RENEWALS)]


class ReclaimRequest(Model):
    """Whose lease may be handed on."""

    token: Token
    """The token of the holder who is gone for good."""
    reason: Reason
    """How one knows, for people."""


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
    state: LeaseState
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


def view(lease: Lease) -> LeaseView:
    """A row of the leases."""
    left = None
    if lease.expires_at is not None:
        left = max(0, int((lease.expires_at - lease.read_at).total_seconds()))
    return LeaseView(
        workspace=lease.workspace,
        name=lease.name,
        id=lease.uid,
        resource=lease.resource,
        state=lease.shown_state,
        reason=lease.reason or None,
        holder=lease.holder.text if lease.holder is not None else None,
        former_holder=lease.former_holder,
        token=lease.token,
        ttl_seconds=lease.ttl_seconds,
        acquired_at=lease.acquired_at if lease.holder is not None else None,
        renewed_at=lease.renewed_at if lease.holder is not None else None,
        expires_at=lease.expires_at,
        seconds_left=left,
        waiters=lease.waiters,
    )
