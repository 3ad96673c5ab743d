"""What one pass saw of a Job: frozen, and all that ``decide`` goes by."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from coxswain import names
from coxswain.api.agent import AgentSpec
from coxswain.api.conditions import RETRYING_AFTER_ERROR, ConditionType, Seen, find
from coxswain.api.job import Attempt, JobPhase, JobSpec, JobStatus
from coxswain.api.kind import Metadata
from coxswain.api.records import Given, KeyHolder, WantedLease
from coxswain.errors import UserError
from coxswain.reconcile.displaced import Displacement
from coxswain.reconcile.key import Key
from coxswain.rules.caps import Full
from coxswain.rules.outcome import PodEnd, RunFacts
from coxswain.rules.quota import QuotaState


@dataclass(frozen=True, slots=True)
class PodSeen:
    """A pod of this Job."""

    name: str
    uid: str
    attempt: int
    created_at: datetime
    running_since: datetime | None
    ended_at: datetime | None
    end: PodEnd | None
    is_deleting: bool
    waits_for: Seen | None
    """Why it has not started, as the condition PodStarted."""
    is_cut_off: bool = False
    """Whether the cluster hears nothing of its node while it runs."""
    has_door: bool = False
    """Whether an image of its own runs beside our door."""
    given_up: PodEnd | None = None
    """How its door ended that will never let the program start; the pod itself does not end by that."""


@dataclass(frozen=True, slots=True)
class AgentSeen:
    """The Agent that the Job names."""

    uid: str
    created_at: datetime
    spec: AgentSpec
    ready: Seen
    """Its condition Ready, as the Job's condition AgentReady."""


@dataclass(frozen=True, slots=True)
class Used:
    """What the other pods of the Agent may use together."""

    cpu: Decimal = Decimal(0)
    memory: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class DependencySeen:
    """A Job that this one waits for, as its object or its record says."""

    name: str
    phase: JobPhase | None
    """None where it is not there, or was not looked at yet."""
    on_failure: Literal["Fail", "Ignore"]
    is_missing: bool = False
    """Whether there is neither an object nor a record of its end."""


@dataclass(frozen=True, slots=True)
class DescentSeen:
    """How a Job comes from others, and how far that may go."""

    parent: str
    depth: int
    ahead: int
    """Others that come from the same one and go first."""
    max_depth: int
    max_children: int
    problem: str | None = None
    """Why the annotation that says so cannot be read."""


@dataclass(frozen=True, slots=True)
class ApprovalSeen:
    """What is known of the agreement that a Job needs before its first attempt."""

    requester: str | None
    """Who made the Job; None where the API did not make it."""
    shown: str
    """Stands for the spec as it is."""
    given: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class KeyClaim:
    """The idempotency key of a Job of which nothing has run yet."""

    wanted: KeyHolder
    """The Job as its holder."""
    standing: KeyHolder | None
    """Who holds it."""


@dataclass(frozen=True, slots=True)
class Contract:
    """What the run document takes over from the Job's type."""

    output_schema: dict[str, Any] | None = None
    grants: tuple[str, ...] = ()
    image: str | None = None
    """The type's own, or Platform; none is the Agent's."""


@dataclass(frozen=True, slots=True)
class JobSnapshot:
    """Everything about one Job at one moment."""

    key: Key
    metadata: Metadata
    spec: JobSpec | UserError
    """With its type applied, where it has one."""
    status: JobStatus
    agent: AgentSeen | None
    agent_deleted_at: datetime | None
    pod: PodSeen | None
    former: tuple[PodSeen, ...]
    """Pods of other attempts that may still run."""
    done: tuple[PodSeen, ...]
    """Pods of any attempt that will not run again."""
    run: RunFacts | None
    """The run row of the attempt in question; None where there is none."""
    token: int
    records: Seen
    """The condition RecordsAvailable."""
    sandbox: Seen
    """The condition SandboxReady of the workspace."""
    runtime_classes: frozenset[str]
    """The RuntimeClasses that the cluster has."""
    used: Used
    full: tuple[Full, ...]
    """The caps that leave no slot; none while it may be its turn."""
    quotas: tuple[QuotaState, ...]
    refusal: str | None
    """What the API server said when it last refused the pod for its quota."""
    is_recorded: bool
    """Whether the records hold the status as it is."""
    dependencies: tuple[DependencySeen, ...] = ()
    """The Jobs of its dependsOn."""
    circle: tuple[str, ...] = ()
    """The names of Jobs that wait for each other in a circle, from this one back to it."""
    descent: DescentSeen | None = None
    """None where it comes from no other Job."""
    approval: ApprovalSeen | None = None
    """None where nobody is asked, or nobody is asked any more."""
    contract: Contract = Contract()
    key_claim: KeyClaim | None = None
    displaced: Displacement | None = None
    """Why a newer tick of its Schedule wants it to end."""
    leases: tuple[WantedLease, ...] = ()
    """The leases of its spec, in the order in which it takes them."""
    lost_leases: tuple[WantedLease, ...] = ()
    """Those that its run was given and holds no more."""
    is_lease_in_doubt: bool = False
    """Whether one of these is in doubt, because nothing was heard of the run."""
    is_compared: bool = True
    """Whether what went away while nobody led is known by now."""

    @property
    def valid_spec(self) -> JobSpec:
        """The spec, where it fits. Raises the UserError that says why not."""
        if isinstance(self.spec, UserError):
            raise self.spec
        return self.spec

    @property
    def agent_spec(self) -> AgentSpec:
        """The Agent's spec, or one that says nothing where the Agent is gone."""
        return self.agent.spec if self.agent is not None else AgentSpec()

    @property
    def timeout(self) -> timedelta:
        """How long one attempt may take."""
        own = self.valid_spec.timeout_seconds
        return timedelta(seconds=own or self.agent_spec.limits.timeout_seconds)

    @property
    def open_attempt(self) -> Attempt | None:
        """The attempt that has begun and not ended, by the status."""
        last = self.status.attempts[-1] if self.status.attempts else None
        return last if last is not None and last.outcome is None else None

    @property
    def shows_failure(self) -> bool:
        """Whether the status says that an operation keeps failing: a good pass takes it back."""
        shown = find(self.status.conditions, ConditionType.RECONCILING)
        return shown is not None and shown.reason == RETRYING_AFTER_ERROR

    @property
    def number(self) -> int:
        """The attempt in question: the open one, or the next."""
        return number(self.status)

    @property
    def pod_name(self) -> str:
        """The name that the pod of the attempt in question has, or would have."""
        return names.attempt_pod(self.metadata.name, self.metadata.uid, self.number)


def number(status: JobStatus) -> int:
    """The attempt that a status is about: the open one, or the next."""
    if status.attempts and status.attempts[-1].outcome is None:
        return status.attempts[-1].number
    return status.attempt + 1
