"""The audit log as people read it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from coxswain.api.audit import AuditKey, AuditRow, Outcome
from coxswain.api.meta import SUBDOMAIN, Model
from coxswain.errors import UserError
from coxswain.rules import audit_chain
from coxswain.sidecar.wire import Moment
from coxswain.store.audit import Query

_Workspace = Annotated[
    str,
    StringConstraints(min_length=1, max_length=253, pattern=rf"^({SUBDOMAIN}|{audit_chain.OWN})$"),
]
_Word = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-zA-Z_.-]+$")]


class AuditSlice(Model):
    """Which rows: all that are asked for must hold."""

    workspace: _Workspace | None = None
    """Only rows of this workspace; ``-`` is what belongs to none."""
    since: Moment | None = None
    """Only rows from this instant on."""
    until: Moment | None = None
    """Only rows from before this instant."""
    actor: Annotated[str, StringConstraints(min_length=1, max_length=1100)] | None = None
    """Only acts of this actor: KIND:NAME, such as user:ada, or KIND alone."""
    object: Annotated[str, StringConstraints(min_length=1, max_length=400)] | None = None
    """Only acts on this object: KIND/NAME, such as Job/nightly, or KIND alone."""
    uid: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    """Only acts on the object with this id."""
    action: _Word | None = None
    """Only this action: the operation's name, such as create_job, or an event's type."""

    def query(self, outcome: Outcome | None = None) -> Query:
        """As the records take it. Raises UserError where nothing can be meant."""
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise UserError("since is not before until", field="query.since")
        actor_kind, colon, actor = (self.actor or "").partition(":")
        kind, slash, name = (self.object or "").partition("/")
        return Query(
            workspace="" if self.workspace == audit_chain.OWN else self.workspace,
            since=self.since,
            until=self.until,
            actor_kind=actor_kind or None,
            actor_name=actor if colon else None,
            object_kind=kind or None,
            object_name=name if slash else None,
            object_uid=self.uid,
            action=self.action,
            outcome=outcome,
        )

    def asked(self) -> dict[str, Any]:
        """What was asked for, as it was asked."""
        return self.to_wire()


class AuditQuery(AuditSlice):
    """Which rows, and from where on."""

    outcome: Outcome | None = None
    """Only rows with this outcome."""
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    """Rows on a page."""
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = None
    """``next`` of the page before."""


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
    outcome: Outcome
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

    @classmethod
    def of(cls, row: AuditRow) -> "AuditView":
        """From the row."""
        entry = row.entry
        return cls(
            id=str(entry.id),
            at=row.at,
            workspace=entry.workspace,
            actor=ActorView(kind=entry.actor.kind, name=entry.actor.name),
            action=entry.action,
            outcome=entry.outcome,
            begun_by=str(entry.begun_by) if entry.begun_by is not None else None,
            object=ObjectView(kind=entry.object.kind, name=entry.object.name, uid=entry.object.uid),
            reason=entry.reason or None,
            request_id=entry.request_id or None,
            hashes=entry.hashes,
            details=entry.details,
            seal=row.seal,
        )


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

    @classmethod
    def of(cls, key: AuditKey) -> "AuditKeyView":
        """From the record."""
        return cls(id=key.key_id, public_key=key.public_key, since=key.since)


class AuditKeys(Model):
    """All keys that seals were ever signed with, oldest first."""

    items: list[AuditKeyView]


class ExportQuery(AuditSlice):
    """Which rows, and from where on the chain is shown."""

    after: Annotated[int, Field(ge=1, lt=2**63)] | None = None
    """Show a workspace's chain from this seal on, without its rows: the last one of an earlier export. With
    ``workspace``."""
