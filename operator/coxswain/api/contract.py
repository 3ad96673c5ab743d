"""What an agent pod and the platform say to each other over HTTP; docs/contract.md is for people.

Ids of events are UUIDv7; their time comes from the answer to the claim plus the pod's monotonic
clock.
"""

from enum import IntEnum, StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from coxswain.api.agent import Limits, Provider, Tool
from coxswain.api.approval import CallApproval
from coxswain.api.egress import EgressHost
from coxswain.api.job import Retry
from coxswain.api.meta import WITHOUT_NUL, LeaseName, Model
from coxswain.api.payload import OUTPUT_BYTES
from coxswain.api.step import Step

CONTRACT_VERSION = 1
EVENTS_PER_BATCH = 500
EVENT_BYTES = 262_144
ARTIFACT_BYTES = 16_777_216
ANSWER_BYTES = 1_048_576
CALL_CHARACTERS = 65_536


class ModelRoute(Model):
    """One model as resolved when the attempt was made; for the pod only the alias counts."""

    alias: str
    provider: Provider
    model: str
    base_url: str | None = None
    secret_name: str | None = None


class RunDocument(Model):
    """The run row's resolved Job and Agent: all that the doors and a restarted operator go by."""

    contract: int = CONTRACT_VERSION
    workspace: str
    job_name: str
    job_uid: str
    attempt: int
    title: str
    description: str | None = None
    prompt: str | None = None
    command: list[str] | None = None
    steps: list[Step] = []
    """In the order in which they run."""
    image: str | None = None
    """The image of its own that it runs in, in full; none is the platform's agent image."""
    type: str | None = None
    input: str | None = None
    """JSON text; the type's handler has it in a file."""
    output_schema: dict[str, Any] | None = None
    """What ``output`` of a result that succeeded must fit."""
    grants: list[str] = []
    """What this run may read beyond its own."""
    retry: Retry | None = None
    """The Job's, or its type's."""
    agent_name: str
    agent_uid: str
    instructions: str | None = None
    instructions_file: str | None = None
    tools: list[Tool] = []
    ask: list[Tool] = []
    """Tools each call of which people have to agree to first."""
    approvals: CallApproval | None = None
    """Who they are."""
    requester: str | None = None
    """Who made the Job, where that is known."""
    limits: Limits = Limits()
    timeout_seconds: int
    models: list[ModelRoute] = []
    egress: list[EgressHost] = []
    """What the web door lets this run reach."""
    egress_bytes: int | None = None
    """How many bytes the web door lets through for it in all; none bounds nothing."""
    repeatable: bool = False
    """Programs are acts with side effects unless the Job's retry allows more than one attempt."""
    leases: list[LeaseName] = []
    """The leases that it holds from its start on."""


class ClaimRequest(Model):
    """``POST /v1/run/claim``: the pod's first call."""

    run: Annotated[str, StringConstraints(pattern=r"^[-0-9a-f]{36}/[0-9]{1,6}$")]


class ClaimAnswer(Model):
    """The run, the time by the database's clock, and what this attempt had recorded before."""

    run: RunDocument
    token: int
    server_time: AwareDatetime
    last_seq: int = 0
    leases: dict[str, int] = {}
    """The fencing tokens of ``run.leases``: give them to whatever is written to outside."""


class RunEvent(Model):
    """One event of a run. ``seq`` counts from 1 per attempt; a repeat of an id is harmless."""

    id: UUID
    """UUIDv7, which holds the event's time."""
    seq: Annotated[int, Field(ge=1)]
    type: Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z]+(\.[a-z_]+)+$")]
    event_version: Annotated[int, Field(ge=1, le=1000)] = 1
    """Version of the type that ``details`` keep to; docs/events.md lists them."""
    details: dict[str, Any] = {}


class EventBatch(Model):
    """``POST /v1/run/events``."""

    events: Annotated[list[RunEvent], Field(min_length=1, max_length=EVENTS_PER_BATCH)]


class BatchAnswer(Model):
    """How many were new, and the last sequence number that is kept without a hole before it."""

    accepted: int
    duplicates: int
    last_seq: int
    position: int


class HeartbeatAnswer(Model):
    """``POST /v1/run/heartbeat``: whether the run should end."""

    cancel: bool = False


class ActRequest(Model):
    """``POST /v1/run/acts``: an act with side effects begins or has ended."""

    id: UUID
    name: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    phase: Literal["begin", "end"]


class CallRequest(Model):
    """``POST /v1/run/approvals``: may this tool be called so? The same again asks how far it is."""

    tool: Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=WITHOUT_NUL)]
    arguments: Annotated[str, StringConstraints(max_length=CALL_CHARACTERS, pattern=WITHOUT_NUL)]
    """What it is called with, whole: people agree to this text."""


class CallAnswer(Model):
    """How far people are with a call."""

    state: str
    """ApprovalPending, Approved, ApprovalDenied, ApprovalTimeout or ApprovalImpossible; more may
    come, and all but Approved and ApprovalPending mean no."""
    message: str
    """More, for people and models."""
    hash: str
    """Stands for the call in this attempt."""
    seconds_left: Annotated[float, Field(ge=0)] = 0
    """How long it may still wait."""


class ResultStatus(StrEnum):
    """How a run says it ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RunResult(Model):
    """``POST /v1/run/result``: the one result. A repeat is harmless, another one is refused."""

    status: ResultStatus
    answer: Annotated[str, StringConstraints(max_length=ANSWER_BYTES)] | None = None
    reason: (
        Annotated[str, StringConstraints(max_length=128, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")] | None
    ) = None
    message: Annotated[str, StringConstraints(max_length=4096)] | None = None
    exit_code: int | None = None
    transient: bool = False
    """Whether trying again may help; decides a retry together with the Job's own rule."""
    artifacts: Annotated[list[str], Field(max_length=64)] = []
    output: Annotated[str, StringConstraints(max_length=OUTPUT_BYTES)] | None = None
    """What the Job's type asks for, as JSON text."""


class ExitCode(IntEnum):
    """How a program of ours in an agent pod ends."""

    SUCCEEDED = 0
    FAILED = 1
    """A result says why."""
    CRASHED = 70
    UNREACHABLE = 75
    """The platform did not answer."""
    CLOSED = 77
    """The run is not its own, or not any more."""
    WRONG_ENVIRONMENT = 78


class ProviderError(StrEnum):
    """Why a model call failed: the gateway's code, passed on as the result's reason."""

    AUTHENTICATION = "PROVIDER_AUTHENTICATION"
    PAYMENT = "PROVIDER_PAYMENT"
    RATE_LIMITED = "PROVIDER_RATE_LIMITED"
    BAD_REQUEST = "PROVIDER_BAD_REQUEST"
    MODEL_NOT_FOUND = "PROVIDER_MODEL_NOT_FOUND"
    CONTEXT_LENGTH = "PROVIDER_CONTEXT_LENGTH"
    CONTENT_FILTER = "PROVIDER_CONTENT_FILTER"
    TIMEOUT = "PROVIDER_TIMEOUT"
    UNAVAILABLE = "PROVIDER_UNAVAILABLE"
    STREAM_CUT = "PROVIDER_STREAM_CUT"
    BAD_RESPONSE = "PROVIDER_BAD_RESPONSE"
    CREDENTIALS_MISSING = "PROVIDER_CREDENTIALS_MISSING"
    NOT_ALLOWED = "PROVIDER_NOT_ALLOWED"
