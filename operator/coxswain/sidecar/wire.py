"""What people and this API say to each other."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, model_validator

from coxswain.api.contract import EventBatch
from coxswain.api.event_type import SCHEMA_VERSION, Writer
from coxswain.api.event_types import registry
from coxswain.api.job import JobSpec
from coxswain.api.lineage import Lineage
from coxswain.api.meta import Model, Name, QueueName, Reason, Text, Workspace
from coxswain.api.review import Verdict
from coxswain.api.schedule import EARLIEST, LATEST
from coxswain.store import uuid7

Labels = Annotated[
    dict[Annotated[str, StringConstraints(max_length=317)], Annotated[str, Field(max_length=63)]],
    Field(max_length=32),
]


LONGEST_WAIT_SECONDS = 30
EventTypes = Annotated[
    str, StringConstraints(max_length=512, pattern=r"^[a-z_.]{1,64}(,[a-z_.]{1,64}){0,15}$")
]
SessionName = Annotated[str, StringConstraints(max_length=64, pattern=r"^[-._a-zA-Z0-9]+$")]


def _in_utc(at: datetime) -> datetime:
    if not EARLIEST <= at < LATEST:
        raise ValueError("an instant from 1970 to 2999 is wanted")
    return at.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


def _is_version_7(value: UUID) -> UUID:
    if not uuid7.is_random(value):
        raise ValueError("send a UUIDv7: its first 48 bits are the event's time in milliseconds")
    return value


EventId = Annotated[UUID, AfterValidator(_is_version_7)]


class WorkspacePath(Model):
    """Names a workspace."""

    workspace: Workspace
    """The namespace."""


class ObjectPath(WorkspacePath):
    """Names an object."""

    name: Name
    """Its name."""


class ArtifactPath(ObjectPath):
    """Names a file of a Job."""

    artifact: Annotated[str, StringConstraints(max_length=253, pattern="^[-._a-zA-Z0-9]+$")]
    """The file's name."""


class RunArtifactPath(Model):
    """Names a file of the caller's own run."""

    artifact: Annotated[str, StringConstraints(max_length=253, pattern="^[-._a-zA-Z0-9]+$")]
    """The file's name."""


class ListQuery(Model):
    """Which objects, and from where on."""

    limit: Annotated[int, Field(ge=1, le=500)] = 100
    """Objects on a page."""
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = None
    """``next`` of the page before."""
    phase: Annotated[str, StringConstraints(max_length=64)] | None = None
    """Only objects in this phase."""


class JobQuery(ListQuery):
    """Which Jobs."""

    agent: Name | None = None
    """Only Jobs of this Agent."""
    queue: QueueName | None = None
    """Only Jobs of this queue."""


class AttemptQuery(Model):
    """Which attempt of a Job."""

    attempt: Annotated[int, Field(ge=1)] | None = None
    """Its number; none takes the newest that has what is asked for."""


class LogQuery(AttemptQuery):
    """Which output."""

    stream: Literal["stdout", "stderr"] | None = None
    """Only this stream."""


class EventQuery(Model):
    """Which events, and from where on."""

    after: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    """Position; events after it are given. A page begins at 0, a stream at what comes next."""
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    """Events on a page."""
    type: EventTypes | None = None
    """A whole type, or with a dot at its end all types that begin so; several with commas between."""
    workspace: Name | None = None
    """Only events of this workspace."""
    agent: Name | None = None
    """Only events about this Agent, about a Job of it, or by it."""
    job: Annotated[str, StringConstraints(max_length=253)] | None = None
    """Only events of this Job: its id, or its name together with ``workspace``."""
    attempt: Annotated[int, Field(ge=1)] | None = None
    """Only events of this attempt of ``job``."""
    wait: Annotated[int, Field(ge=0, le=LONGEST_WAIT_SECONDS)] = 0
    """Seconds for which a page that would be empty waits for an event; a stream waits by itself."""
    session: SessionName | None = None
    """Of a stream: the one before it of the same caller and session is closed."""
    since: Moment | None = None
    """Only what happened at this time or later; whole days before it are not even looked at."""
    security: Literal["true"] | None = None
    """Only events that matter to people who look after security."""


class StreamQuery(Model):
    """How a stream is followed."""

    session: SessionName | None = None
    """The stream before it of the same caller and session is closed."""


class NewMetadata(Model):
    """How a Job is named and labelled."""

    name: Name | None = None
    """Its name."""
    generate_name: Annotated[str, StringConstraints(max_length=57)] | None = None
    """Or the beginning of a name that the cluster completes."""
    labels: Labels = Field(default_factory=dict)
    """Labels, for selections."""

    @model_validator(mode="after")
    def _is_named_once(self) -> Self:
        if (self.name is None) == (self.generate_name is None):
            raise ValueError("give exactly one of name and generateName")
        return self


class NewJob(Model):
    """A Job as ``kubectl apply`` would take it; apiVersion and kind may be left out."""

    api_version: Literal["coxswain.dev/v1alpha1"] = "coxswain.dev/v1alpha1"
    kind: Literal["Job"] = "Job"
    metadata: NewMetadata
    spec: JobSpec
    parent: Name | None = None
    """The Job of this workspace on whose account this one is made."""


class RerunRequest(Model):
    """How the new Job is named."""

    name: Name | None = None
    """Its name; none makes one from the former name."""


class CancelRequest(Model):
    """Why a Job is cancelled."""

    reason: Text | None = None
    """For people."""


class SuspendRequest(Model):
    """Why a Job is held back."""

    reason: Text | None = None
    """For people."""


class ReviewRequest(Model):
    """What follows the attempt that was looked at."""

    decision: Verdict
    """retry, succeed, fail or cancel."""
    attempt: Annotated[int, Field(ge=1)] | None = None
    """The attempt that was looked at; none means the last one."""
    reason: Reason
    """Why, for people."""


class LinePlace(Model):
    """The place of a Job that waits for a slot, as things stand: it can change with every Job."""

    waits_for: Literal["Agent", "Queue", "Workspace", "Installation"]
    """Whose cap or quota is full; the place is among the Jobs that wait there."""
    ahead: int
    """How many of them would start before it if slots came one by one."""
    position: int
    """One more than that."""


class Resource(Model):
    """An object of ours."""

    id: str
    """Its uid."""
    kind: str
    """Job, Agent, Schedule or Lease."""
    workspace: str
    """Its namespace."""
    name: str
    """Its name."""
    status: str
    """Its phase."""
    created_at: datetime
    """When it was made."""
    generation: int
    """Counts changes of the spec."""
    version: str
    """Its resourceVersion. The ETag is this in quotes, and while it has a place in line that too."""
    spec: dict[str, Any]
    """What should be, as in the kind's schema."""
    details: dict[str, Any] = Field(default_factory=dict)
    """What is: the object's status, as in the kind's schema."""
    lineage: Lineage | None = None
    """The Job that this one was made from."""
    line: LinePlace | None = None
    """Its place, where a single Job is read that waits for a slot."""


class ResourceList(Model):
    """A page of objects, newest first."""

    items: list[Resource]
    next: str | None = None
    """Give it as ``cursor`` for the next page; none on the last one."""


class EventView(Model):
    """An event of the log. It only grows: pass over fields that you do not know."""

    schema_version: int = SCHEMA_VERSION
    """Version of this form around ``details``."""
    position: int
    """Its place in the log."""
    id: UUID
    """Its id, which holds its time."""
    at: datetime
    """When it happened."""
    recorded_at: datetime
    """When it was written."""
    type: str
    """What happened."""
    event_version: int = 1
    """Version of the type, that is of the form of ``details``."""
    actor: str
    """Who did it: operator, egress, agent:WORKSPACE/NAME, user:NAME or key:NAME."""
    workspace: str = ""
    """Where."""
    kind: str = ""
    """Sort of the object that it is about."""
    name: str = ""
    """Name of that object."""
    uid: str | None = None
    """Id of that object."""
    attempt: int | None = None
    """Attempt of a Job."""
    seq: int | None = None
    """The attempt's own count."""
    details: dict[str, Any] = Field(default_factory=dict)
    """More."""


class ResyncView(Model):
    """The position asked for is not in the log any more: what you know may be incomplete."""

    oldest: int
    """First position that is kept."""
    head: int
    """Last position given out."""


class LaggedView(Model):
    """A stream's reader has fallen far behind: what follows is read from the database, and nothing is missing."""

    position: int
    """How far it has come; it may also leave, and come back at any position."""
    head: int
    """How far the log has come."""


class DeltaView(Model):
    """What a model says, while it says it. Some may be missing; the whole answer is an event."""

    attempt: int
    """Attempt of the Job."""
    call: str
    """Which call of a model."""
    offset: int
    """How many characters of this call's answer came before."""
    text: str
    """Those that come now."""


class EventPage(Model):
    """Events after a position."""

    events: list[EventView]
    next: int
    """Give it as ``after`` to go on."""
    more: bool
    """Whether there is more already."""
    resync: ResyncView | None = None
    """Set where ``after`` was dropped; the events begin at the oldest that is kept."""


class UserEvent(Model):
    """An event of a person or a program of theirs."""

    id: EventId
    """UUIDv7; the same again is harmless."""
    type: Annotated[str, StringConstraints(max_length=64, pattern=registry.OF_USERS.pattern)]
    """What happened; begins with ``user.``."""
    event_version: Annotated[int, Field(ge=1, le=1000)] = 1
    """Your own version of this type."""
    workspace: Name | None = None
    """Where."""
    kind: Annotated[str, StringConstraints(max_length=64)] = ""
    """Sort of the object that it is about."""
    name: Annotated[str, StringConstraints(max_length=253)] = ""
    """Name of that object."""
    uid: UUID | None = None
    """Id of that object."""
    details: dict[str, Any] = Field(default_factory=dict)
    """More, in a form of your own."""


class UserEvents(Model):
    """A batch of events."""

    events: Annotated[list[UserEvent], Field(min_length=1, max_length=500)]


TAKEN: dict[Writer, type[Model]] = {Writer.USER: UserEvents, Writer.RUN: EventBatch}
"""How events come in, by who tells them."""


class Accepted(Model):
    """What a batch came to."""

    accepted: int
    """How many were new."""
    duplicates: int
    """How many stood already."""
    position: int
    """The log's last position now."""
