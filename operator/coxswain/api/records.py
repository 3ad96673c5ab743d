"""Rows of Postgres as types: what decisions may ask for and snapshots may hold.

Pure, so that decisions know them; ``coxswain.store`` reads and writes them.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from coxswain.api.contract import RunDocument, RunResult
from coxswain.api.event_type import D, EventType
from coxswain.api.lease import LeaseSpec, LeaseState


@dataclass(frozen=True)
class RunKey:
    """Which run: attempt N of a Job."""

    job_uid: str
    attempt: int


@dataclass(frozen=True)
class NewRun:
    """A run that is about to get its pod. ``last_token`` is the highest one in the Job's status."""

    key: RunKey
    workspace: str
    job_name: str
    agent_name: str
    pod_name: str
    service_account: str
    document: RunDocument
    last_token: int = 0

    @property
    def leases(self) -> tuple[str, ...]:
        """The leases that the run needs, in the one order in which everybody takes them."""
        return tuple(sorted(self.document.leases))


@dataclass(frozen=True)
class Run:
    """A row, whole."""

    key: RunKey
    workspace: str
    job_name: str
    agent_name: str
    pod_name: str
    service_account: str
    token: int
    document: RunDocument
    pod_uid: str | None
    claimed_at: datetime | None
    heartbeat_at: datetime | None
    last_seq: int
    acts_open: dict[str, str]
    result: RunResult | None
    result_at: datetime | None
    cancel_requested: bool
    closed_at: datetime | None
    closed_reason: str | None
    highest_seq: int = 0
    leases: dict[str, int] = field(default_factory=dict)
    """The tokens of the leases that it was given with its start."""


@dataclass(frozen=True)
class Event:
    """One thing that happened, to be appended. Its time is the one inside its id.

    What the platform tells is made by ``of``, from a type and its data; what came in from outside is
    checked at its door.
    """

    id: UUID
    type: str
    actor: str
    workspace: str = ""
    kind: str = ""
    name: str = ""
    uid: str | None = None
    attempt: int | None = None
    seq: int | None = None
    details: dict[str, Any] = field(default_factory=dict)
    version: int = 1
    """Of its type."""

    @classmethod
    def of(
        cls,
        what: EventType[D],
        data: D,
        *,
        id: UUID,  # noqa: A002 - the field's name
        actor: str,
        workspace: str,
        name: str,
        uid: str | None,
        attempt: int | None = None,
    ) -> Self:
        """An event of a registered type about an object, named by its workspace, name and uid."""
        return cls(
            id=id,
            type=what.name,
            actor=actor,
            workspace=workspace,
            kind=what.about,
            name=name,
            uid=uid,
            attempt=attempt,
            details=data.to_wire(),
            version=what.version,
        )


@dataclass(frozen=True)
class Given:
    """What a person said about a Job that needs agreement, and about which form of it."""

    approver: str
    hash: str
    approved: bool
    reason: str
    at: datetime


@dataclass(frozen=True)
class ObjectRow:
    """An object as it stood at a resourceVersion. ``body`` is the whole object, as JSON."""

    uid: str
    kind: str
    workspace: str
    name: str
    generation: int
    resource_version: str
    phase: str
    created_at: datetime
    body: dict[str, Any]
    deleted_at: datetime | None = None


@dataclass(frozen=True)
class KeyHolder:
    """Which Job an idempotency key stands for. Without a uid the Job is about to be made."""

    workspace: str
    key: str
    payload_hash: str
    job_name: str
    job_uid: str | None = None


@dataclass(frozen=True)
class LeaseHolder:
    """Who holds a lease or asks for it. A run's has its Job; two of one text are the same."""

    text: str
    job_uid: str | None = None
    job_name: str | None = None
    attempt: int | None = None

    @classmethod
    def of_user(cls, user: str, name: str | None) -> "LeaseHolder":
        """A person or machine, or one of the programs that work for it."""
        # A slash of the name itself must not look like the one before a program.
        whole = f"user:{user.replace('%', '%25').replace('/', '%2F')}"
        return cls(whole if name is None else f"{whole}/{name}")

    @classmethod
    def of_run(cls, run: RunKey, job_name: str) -> "LeaseHolder":
        """An attempt of a Job."""
        text = f"job:{job_name}/{run.attempt}"
        return cls(text, run.job_uid, job_name, run.attempt)

    @classmethod
    def declared(cls, name: str) -> "LeaseHolder":
        """Who is named in the Lease itself."""
        return cls(f"declared:{name}")


@dataclass(frozen=True)
class Lease:
    """A row of the leases, as it was at ``read_at`` by the database's clock."""

    workspace: str
    name: str
    uid: str
    is_removed: bool
    resource: str
    ttl_seconds: int
    steal_after_seconds: int | None
    quarantine_seconds: int | None
    declared: str | None
    is_confirmed: bool
    """Whether the operator has looked at it since the last failover or restore."""
    token: int
    state: LeaseState
    reason: str
    holder: LeaseHolder | None
    with_run: bool
    """Whether its holder is a run that was given it with its start: then heartbeats renew it."""
    former_holder: str | None
    acquired_at: datetime | None
    renewed_at: datetime | None
    expires_at: datetime | None
    changed_at: datetime
    read_at: datetime
    waiters: int = 0
    first_waiter: str | None = None
    """Whose turn it is when the lease is free; None where nobody waits."""

    @property
    def is_over(self) -> bool:
        """Whether its holder's time has passed, though nobody has noted it yet."""
        is_held = self.state is LeaseState.HELD and self.expires_at is not None
        return is_held and self.expires_at is not None and self.expires_at <= self.read_at

    @property
    def shown_state(self) -> LeaseState:
        """The state as it is at this moment."""
        return LeaseState.EXPIRED if self.is_over else self.state


@dataclass(frozen=True)
class NewLease:
    """A Lease object as the records are to know it."""

    workspace: str
    name: str
    uid: str
    spec: LeaseSpec
    last_token: int = 0
    """The token in its status."""
    last_holder: str | None = None
    """The holder in its status, where that says that it is held."""


@dataclass(frozen=True)
class WantedLease:
    """A lease that a Job wants, as it stands, and whether the Job waits in its line."""

    name: str
    lease: Lease | None
    is_in_line: bool = False
