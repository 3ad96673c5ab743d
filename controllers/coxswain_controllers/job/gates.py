"""What must hold before an attempt starts, in the order in which a Job answers.

Each gate returns its condition; the first that is not true is why the Job does not run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from coxswain.api.agent import AgentSpec
from coxswain.api.conditions import AGENT_SUSPENDED, ConditionType, Seen, find
from coxswain.errors import UserError
from coxswain.reconcile import instants
from coxswain.rules import quota
from coxswain.rules.caps import Bound, Full
from coxswain.sandbox import images
from coxswain.sandbox.pod import Platform
from coxswain_controllers.job import approval, dependencies, leases, manifest
from coxswain_controllers.job.snapshot import JobSnapshot

ITS_TURN = "the Job starts when it is its turn"

Gate = Callable[[JobSnapshot, Platform, datetime], Seen | None]


def passed(snapshot: JobSnapshot, before: ConditionType | None = None) -> tuple[Seen, ...]:
    """The conditions of an attempt that has a pod: it passed every gate, or those before one."""
    order = list(ConditionType)
    seen = (
        _accepted(),
        Seen(ConditionType.AGENT_READY, "True", "Ready"),
        snapshot.records,
        *((Seen(ConditionType.DEPENDENCIES_MET, "True", "Met"),) * bool(snapshot.dependencies)),
        Seen(ConditionType.QUOTA_RESERVED, "True", "Reserved"),
        *((Seen(ConditionType.LEASE_HELD, "True", "Held"),) * _needs_leases(snapshot)),
        *((Seen(ConditionType.APPROVED, "True", "Approved"),) * (_needs_approval(snapshot))),
        Seen(ConditionType.SANDBOX_READY, "True", "Ready"),
    )
    stop = len(order) if before is None else order.index(before)
    return tuple(each for each in seen if order.index(each.type) < stop)


def answered(snapshot: JobSnapshot) -> tuple[Seen, ...]:
    """What the gates last said of a Job that ends without a pod: no more is known.

    They are not asked again, since what they would wait for no longer matters.
    """
    order = list(ConditionType)
    shown = (
        Seen(ConditionType(each.type), each.status, each.reason, each.message)
        for each in snapshot.status.conditions
    )
    stop = order.index(ConditionType.POD_STARTED)
    return tuple(each for each in shown if order.index(each.type) < stop)


def _needs_leases(snapshot: JobSnapshot) -> bool:
    return not isinstance(snapshot.spec, UserError) and bool(snapshot.spec.leases)


def _needs_approval(snapshot: JobSnapshot) -> bool:
    return not isinstance(snapshot.spec, UserError) and snapshot.spec.approval is not None


def evaluate(snapshot: JobSnapshot, platform: Platform, now: datetime) -> tuple[list[Seen], bool]:
    """Ask the gates in order; the list ends with the first that is not true.

    A gate answers None where nothing of the kind was asked for.
    """
    seen: list[Seen] = []
    for gate in GATES:
        found = gate(snapshot, platform, now)
        if found is None:
            continue
        seen.append(found)
        if found.status != "True":
            return seen, False
    return seen, True


def asked_before(
    kind: ConditionType, snapshot: JobSnapshot, platform: Platform, now: datetime
) -> tuple[Seen, ...]:
    """What gates before this one say, up to the first that is not true."""
    order = list(ConditionType)
    seen, _ = evaluate(snapshot, platform, now)
    return tuple(each for each in seen if order.index(each.type) < order.index(kind))


def _accepted() -> Seen:
    return Seen(ConditionType.ACCEPTED, "True", "Valid")


def spec_is_valid(snapshot: JobSnapshot, _platform: Platform, _now: datetime) -> Seen:
    """The spec fits the kind as this version knows it."""
    if isinstance(snapshot.spec, UserError):
        return Seen(ConditionType.ACCEPTED, "False", "Invalid", snapshot.spec.message)
    return _accepted()


def agent_is_ready(snapshot: JobSnapshot, platform: Platform, _now: datetime) -> Seen:
    """The Agent is there, takes Jobs of this queue, is not suspended and is ready."""
    kind = ConditionType.AGENT_READY
    agent = snapshot.agent
    if agent is None:
        return Seen(kind, "False", "AgentNotFound", _no_agent(snapshot))
    if agent.spec.suspend:
        text = "the Agent is suspended; set spec.suspend of the Agent to false"
        return Seen(kind, "False", AGENT_SUSPENDED, text)
    if agent.ready.status != "True":
        return Seen(kind, "False", agent.ready.reason, agent.ready.message)
    foreign = _foreign_queue(snapshot, platform)
    if foreign is not None:
        return Seen(kind, "False", "QueueNotTaken", foreign)
    return Seen(kind, "True", "Ready")


def records_answer(snapshot: JobSnapshot, _platform: Platform, _now: datetime) -> Seen:
    """Postgres answers, so the run row can be written before the pod."""
    return snapshot.records


def back_off_is_over(snapshot: JobSnapshot, _platform: Platform, now: datetime) -> Seen:
    """The wait after a failed attempt is over."""
    retry_at = instants.read(snapshot.status.retry_at)
    if retry_at is None or retry_at <= now:
        return Seen(ConditionType.BACK_OFF, "True", "Over")
    last = snapshot.status.attempts[-1] if snapshot.status.attempts else None
    reason = (last.reason if last is not None else None) or "Waiting"
    text = f"the next attempt is due at {snapshot.status.retry_at}"
    return Seen(ConditionType.BACK_OFF, "False", reason, text)


def quota_has_room(snapshot: JobSnapshot, platform: Platform, _now: datetime) -> Seen:
    """There is a slot under every cap, and room in the Agent's sums and the workspace's quotas."""
    kind = ConditionType.QUOTA_RESERVED
    if snapshot.full:
        full = _still_full(snapshot)
        return Seen(kind, "False", f"{full.scope.bound}Quota", _reached(snapshot, full))
    short = shortage(snapshot, platform)
    if short is not None:
        return Seen(kind, "False", f"{short.bound}Quota", short.message)
    return Seen(kind, "True", "Reserved")


def sandbox_is_ready(snapshot: JobSnapshot, platform: Platform, _now: datetime) -> Seen:
    """The workspace is onboarded, runtime and image may be had, no former pod of this Job is left."""
    agent = snapshot.agent_spec
    problem = manifest.runtime_of(agent, platform, snapshot.runtime_classes).problem
    if problem is not None:
        return Seen(ConditionType.SANDBOX_READY, "False", "RuntimeClassMissing", problem)
    problem = images.problem(manifest.image_of(snapshot), platform.settings.allowed_images)
    if problem is not None:
        return Seen(ConditionType.SANDBOX_READY, "False", images.NOT_ALLOWED, problem)
    if snapshot.former:
        text = f"pod {snapshot.former[0].name} of a former attempt has not ended yet"
        return Seen(ConditionType.SANDBOX_READY, "False", "FormerPodEnding", text)
    return snapshot.sandbox


GATES: tuple[Gate, ...] = (
    spec_is_valid,
    agent_is_ready,
    records_answer,
    dependencies.are_met,
    back_off_is_over,
    quota_has_room,
    leases.are_to_be_had,
    approval.is_given,
    sandbox_is_ready,
)


def _no_agent(snapshot: JobSnapshot) -> str:
    spec = snapshot.spec
    name = spec.agent_ref.name if not isinstance(spec, UserError) else "?"
    return f"there is no agents.coxswain.dev {name} in {snapshot.key.namespace}; make it"


def _foreign_queue(snapshot: JobSnapshot, platform: Platform) -> str | None:
    """Why the Agent does not take this Job. It can be changed, so the Job waits and does not end."""
    queue, taken = snapshot.valid_spec.queue, snapshot.agent_spec.queues or platform.default_queues
    if queue in taken:
        return None
    return (
        f"the Agent takes Jobs of {', '.join(taken)}, not of queue {queue}:"
        " add it to spec.queues of the Agent, or make the Job again in another queue"
    )


@dataclass(frozen=True, slots=True)
class Shortage:
    """A quota without room for the pod."""

    bound: Bound
    message: str


def shortage(snapshot: JobSnapshot, platform: Platform) -> Shortage | None:
    """Which sum of the Agent or quota of the workspace has no room for one more pod."""
    demand = manifest.demand(snapshot, platform)
    over = _agent_is_short(snapshot, demand)
    if over is not None:
        return Shortage(Bound.AGENT, over)
    short = snapshot.refusal or quota.shortfall(snapshot.quotas, demand)
    return None if short is None else Shortage(Bound.WORKSPACE, short)


def _agent_is_short(snapshot: JobSnapshot, demand: quota.Amounts) -> str | None:
    spec, others = snapshot.agent_spec.quota, snapshot.used
    for name, most, used in (
        ("cpu", spec.cpu, others.cpu),
        ("memory", spec.memory, others.memory),
    ):
        wanted = demand.get(f"limits.{name}", Decimal(0))
        if most is not None and used + wanted > quota.amounts({name: most})[name]:
            return f"the Agent's quota of {most} {name} has no room for {wanted} beside {used}"
    return None


def slots_of(agent: AgentSpec) -> int:
    """Jobs at once: a persistent workspace can be mounted by one pod only."""
    if agent.workspace.type == "Persistent":
        return 1
    return agent.quota.concurrent_jobs


def _still_full(snapshot: JobSnapshot) -> Full:
    """What the status says already, as long as it holds: why a Job waits is written once."""
    shown = find(snapshot.status.conditions, ConditionType.QUOTA_RESERVED)
    said = shown.reason if shown is not None else ""
    same = (full for full in snapshot.full if f"{full.scope.bound}Quota" == said)
    return next(same, snapshot.full[0])


def _reached(snapshot: JobSnapshot, full: Full) -> str:
    scope = full.scope
    match scope.bound:
        case Bound.AGENT if snapshot.agent_spec.workspace.type == "Persistent":
            return f"the Agent's persistent workspace takes one Job at a time; {ITS_TURN}"
        case Bound.AGENT:
            who, where = "the Agent", " (spec.quota.concurrentJobs)"
        case Bound.QUEUE:
            who, where = f"queue {scope.name}", " in this installation"
        case Bound.WORKSPACE:
            who, where = f"workspace {scope.workspace}", ""
        case Bound.INSTALLATION:
            who, where = "the installation", ""
    return f"{who} is full, at most {full.most} at once{where}; {ITS_TURN}"
