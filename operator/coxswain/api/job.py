"""The kind Job: one piece of work for an Agent, in numbered attempts of one pod each."""

import re
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from coxswain import names
from coxswain.api import payload
from coxswain.api.approval import Approval
from coxswain.api.conditions import Condition
from coxswain.api.dependency import Dependency
from coxswain.api.meta import (
    SUBDOMAIN,
    WITHOUT_NUL,
    Key,
    LeaseName,
    ListMap,
    ListSet,
    LocalReference,
    Model,
    Name,
    QueueName,
    Rule,
    Text,
    unchanged,
)
from coxswain.api.review import Review
from coxswain.api.step import IN_ORDER, IN_ORDER_MESSAGE, Command, Prompt, Steps, are_in_order

FROZEN = (
    "agentRef",
    "title",
    "description",
    "prompt",
    "command",
    "steps",
    "type",
    "input",
    "idempotencyKey",
    "files",
    "queue",
    "timeoutSeconds",
    "retry",
    "review",
    "retain",
    "dependsOn",
    "leases",
    "approval",
    "callback",
)


def _frozen(field: str) -> Rule:
    return Rule(
        unchanged(field),
        f"{field} is fixed once the Job is made; make another Job",
    )


VISIBLE = r"^[!-~]+$"
TYPE_NAME = rf"^{SUBDOMAIN}$"


def _as_text(value: object) -> object:
    """The HTTP API takes an object too; what is kept is its text."""
    return payload.canonical(value) if isinstance(value, dict) else value


TypeName = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=TYPE_NAME)]
Input = Annotated[
    str,
    StringConstraints(min_length=2, max_length=payload.INPUT_BYTES, pattern=WITHOUT_NUL),
    BeforeValidator(_as_text),
]

RELATIVE_PATH = r"^[-._a-zA-Z0-9]+(/[-._a-zA-Z0-9]+)*$"


class JobFile(Model):
    """A file that stands in the workspace when the attempt begins, taken from a ConfigMap."""

    RULES: ClassVar = (
        Rule(
            "!self.path.split('/').exists(part, part == '.' || part.startsWith('..'))",
            "path stays inside the workspace: no . and no ..",
            lambda self: (
                not any(part == "." or part.startswith("..") for part in self.path.split("/"))
            ),
        ),
    )

    config_map: Name
    """Name of a ConfigMap in the same namespace."""
    key: Key
    """The key whose content becomes the file."""
    path: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=RELATIVE_PATH)]
    """Where it stands, below /workspace."""


class Retry(Model):
    """What happens after an attempt that failed for a reason that time may mend."""

    max_attempts: Annotated[int, Field(ge=1, le=20)] = 1
    """Attempts in all, the first included."""
    backoff_seconds: Annotated[int, Field(ge=0, le=3600)] = 10
    """Longest wait before the second attempt; it doubles for each further one. The wait itself is
    drawn between 0 and that."""
    max_backoff_seconds: Annotated[int, Field(ge=0, le=86400)] = 300
    """Longest wait of all."""


class Retain(Model):
    """How long pods stay that have ended; without it, as long as the Job. Output outlives them."""

    failed_pod_seconds: Annotated[int, Field(ge=0, le=31536000)] | None = None
    """So long after the end of an attempt that did not succeed."""
    succeeded_pod_seconds: Annotated[int, Field(ge=0, le=31536000)] | None = None
    """So long after the end of one that did."""


# A host and perhaps a port, then path and query in printable ASCII: no user, no fragment.
CALLBACK_URL = r"^https?://[A-Za-z0-9._-]+(:[0-9]{1,5})?([/?][!$-\[\]-~]*)?$"
# Whatever a resolver could take for an address: 10.0.0.1, but also 127.1, 0x7f000001 and 2130706433.
_ADDRESS = r"^https?://([^/?:]*[.])?([0-9]+|0[xX][0-9a-fA-F]*)[.]*(:[0-9]*)?([/?].*)?$"


class Callback(Model):
    """Who is told when the Job has ended."""

    RULES: ClassVar = (
        Rule(
            f"!self.url.matches('{_ADDRESS}')",
            "url names a host, not an address",
            lambda self: re.match(_ADDRESS, self.url) is None,
        ),
    )

    url: Annotated[str, StringConstraints(min_length=9, max_length=2048, pattern=CALLBACK_URL)]
    """Where its final state is posted to: https, and a host that the installation allows."""
    signing: LocalReference | None = None
    """Secret of type coxswain.dev/signing in the same namespace; none takes the installation's."""


def _no_file_is_a_folder(spec: "JobSpec") -> bool:
    paths = [file.path for file in spec.files]
    return not any(other.startswith(f"{path}/") for path in paths for other in paths)


class JobSpec(Model):
    """What should be done. Fixed once made, but for suspend, cancel, priority and
    ttlSecondsAfterFinished.
    """

    RULES: ClassVar = (
        Rule(
            "[has(self.prompt), has(self.command), has(self.steps), has(self.type)]"
            ".exists_one(given, given)",
            "set exactly one of prompt, command, steps and type",
            lambda self: [self.prompt, self.command, self.steps, self.type].count(None) == 3,
        ),
        Rule(IN_ORDER, IN_ORDER_MESSAGE, lambda self: are_in_order(self.steps)),
        Rule(
            "!has(self.input) || has(self.type)",
            "input is for a Job with a type",
            lambda self: self.input is None or self.type is not None,
        ),
        Rule(
            "!has(self.files) || self.files.all(file, !self.files.exists(other,"
            " other.path.startsWith(file.path + '/')))",
            "one file's path is another one's folder",
            _no_file_is_a_folder,
        ),
        Rule(
            "!oldSelf.cancel || self.cancel",
            "cancel goes one way: a cancelled Job cannot be taken back",
        ),
        *(_frozen(field) for field in FROZEN),
    )

    agent_ref: LocalReference
    """The Agent that does it, in the same namespace."""
    title: Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=WITHOUT_NUL)]
    """What it is, in a line."""
    description: Text | None = None
    """More about it, for people."""
    prompt: Prompt | None = None
    """What the agent is asked."""
    command: Command | None = None
    """Or a program and its arguments, run in the agent's sandbox without a model."""
    steps: Steps | None = None
    """Or several of these, one after the other in one pod, each with events of its own. Only where
    each succeeds the attempt does; another attempt begins with the first step."""
    type: TypeName | None = None
    """Or a job type: it says what input it takes and who does it."""
    input: Input | None = None
    """What the type takes, as the text of a JSON object."""
    idempotency_key: (
        Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=VISIBLE)] | None
    ) = None
    """The same key with the same spec makes no second Job in this workspace."""
    files: Annotated[list[JobFile], Field(max_length=32), ListMap("path")] = []
    """Files that stand in the workspace when an attempt begins."""
    queue: QueueName = names.DEFAULT_QUEUE
    """The queue it waits in; its Agent has to take Jobs of that queue."""
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    """Of the waiting Jobs of one owner the higher goes first. It may change while the Job waits."""
    depends_on: Annotated[list[Dependency], Field(max_length=64), ListMap("name")] = []
    """Jobs of the same workspace that have to end before the first attempt."""
    leases: Annotated[list[LeaseName], Field(max_length=16), ListSet()] = []
    """Leases of the same workspace that each attempt holds, all of them or none; they are let go
    when it has ended."""
    approval: Approval | None = None
    """Who has to agree before the first attempt; none asks nobody."""
    timeout_seconds: Annotated[int, Field(ge=1, le=604800)] | None = None
    """How long one attempt may take; none takes the Agent's limit."""
    retry: Retry = Retry()
    """What happens after a failed attempt."""
    review: Review = Review()
    """Who decides where the end of an attempt does not."""
    retain: Retain | None = None
    """How long pods stay that have ended; none keeps them as long as the Job."""
    suspend: bool = False
    """True starts no attempt; one that runs goes on."""
    callback: Callback | None = None
    """Who is told when the Job has ended."""
    cancel: bool = False
    """True ends the Job; it cannot be taken back."""
    ttl_seconds_after_finished: Annotated[int, Field(ge=0, le=31536000)] | None = None
    """The object is deleted this long after its end; its records stay. None keeps it."""


class JobPhase(StrEnum):
    """Where a Job is. The only edges stand in coxswain.rules.lifecycle."""

    QUEUED = "Queued"
    RUNNING = "Running"
    REVIEW = "Review"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


KEPT_ATTEMPTS = 32
"""A status has so many; older ones are in the records."""
TERMINAL = frozenset({JobPhase.SUCCEEDED, JobPhase.FAILED, JobPhase.CANCELLED})

Instant = Annotated[str, StringConstraints(max_length=40)]


class Transition(Model):
    """One edge of the life of a Job."""

    phase: JobPhase
    """The phase that was entered."""
    at: Instant
    """When, RFC 3339."""
    attempt: Annotated[int, Field(ge=0)] = 0
    """The attempt it belongs to; 0 before the first."""
    reason: Annotated[str, StringConstraints(max_length=128)] | None = None
    """Why, in one word."""
    message: Annotated[str, StringConstraints(max_length=256)] | None = None
    """Who wanted it and why, where a person did."""


class Attempt(Model):
    """One attempt: one pod."""

    number: Annotated[int, Field(ge=1)]
    """Counts from 1 without a hole."""
    pod_name: Annotated[str, StringConstraints(max_length=253)]
    """Its pod."""
    pod_uid: Annotated[str, StringConstraints(max_length=64)] | None = None
    """The uid of the pod that runs it."""
    token: Annotated[int, Field(ge=0)] = 0
    """Its fencing token: larger than that of every earlier attempt."""
    started_at: Instant | None = None
    """When its pod ran."""
    finished_at: Instant | None = None
    """When it ended."""
    outcome: Literal["Succeeded", "Failed", "Cancelled", "Lost"] | None = None
    """How it ended. Lost: the pod went away through no fault of its own; it uses no attempt."""
    reason: Annotated[str, StringConstraints(max_length=128)] | None = None
    """Why, in one word."""
    message: Annotated[str, StringConstraints(max_length=1024)] | None = None
    """Why, in a sentence."""
    exit_code: int | None = None
    """The program's exit code, where there was one."""


class JobResult(Model):
    """The short form of what came out; the whole is in the records."""

    answer: Annotated[str, StringConstraints(max_length=4096)] | None = None
    """The agent's answer, or the command's standard output."""
    truncated: bool = False
    """Whether the answer was cut to fit."""
    exit_code: int | None = None
    """The command's exit code."""
    output: Annotated[str, StringConstraints(max_length=4096)] | None = None
    """The output that the Job's type asks for, as JSON text, where it is short enough."""


class JobStatus(Model):
    """What is."""

    phase: JobPhase | None = None
    """Where the Job is."""
    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation of the spec that this status is about."""
    conditions: Annotated[list[Condition], Field(max_length=16), ListMap("type")] = []
    """In the order in which they are answered; the first that is not true says why it waits."""
    attempt: Annotated[int, Field(ge=0)] = 0
    """Number of the current or last attempt."""
    attempts_used: Annotated[int, Field(ge=0)] = 0
    """Attempts that count towards retry.maxAttempts."""
    attempts: Annotated[list[Attempt], Field(max_length=KEPT_ATTEMPTS)] = []
    """The last attempts, oldest first."""
    transitions: Annotated[list[Transition], Field(max_length=128)] = []
    """Every edge with its time."""
    started_at: Instant | None = None
    """When the first attempt ran."""
    finished_at: Instant | None = None
    """When the Job ended."""
    retry_at: Instant | None = None
    """When the next attempt is due, while the Job waits after a failed one."""
    result: JobResult | None = None
    """What came out, in short."""
