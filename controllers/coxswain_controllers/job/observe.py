"""What the cluster and the records say of a Job, in one frozen snapshot."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from coxswain import names
from coxswain.api.agent import AgentSpec
from coxswain.api.conditions import ConditionType, Seen, find
from coxswain.api.job import TERMINAL, JobSpec, JobStatus
from coxswain.api.kind import Agent, Job, Metadata
from coxswain.errors import NotFoundError, UnavailableError, UserError
from coxswain.kube import paths
from coxswain.reconcile import instants
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.crowd import Place
from coxswain.reconcile.key import Key
from coxswain.reconcile.world import World
from coxswain.rules import quota
from coxswain.rules.outcome import RunFacts
from coxswain.store.runs import Run, RunKey
from coxswain_controllers.job import pods
from coxswain_controllers.job.snapshot import AgentSeen, Crowd, JobSnapshot, PodSeen, number

KIND = "Job"
QUOTAS = (names.POD_QUOTA, names.STORAGE_QUOTA)


async def observe(world: World, key: Key) -> JobSnapshot | None:
    """Collect the snapshot; what needs to wait is asked first, memory is read last."""
    raw = world.cache.get(KIND, key.uid)
    if raw is None:
        return None
    attempt = number(Job.status_of(raw))
    sandbox = await world.workspaces.condition(key.namespace)
    run, records = await _run(world, key, attempt)
    if run is not None and _pod(world, key, attempt) is None:
        await _look_for_pod(world, key, attempt)
    # From here on nothing waits: what is counted stays so until the decision is reserved.
    raw = world.cache.get(KIND, key.uid)
    if raw is None or number(Job.status_of(raw)) != attempt:
        return None
    return _snapshot(world, key, raw, _Asked(sandbox, records, run))


class _Asked:
    """The answers that had to be waited for."""

    def __init__(self, sandbox: Seen, records: Seen, run: Run | None) -> None:
        self.sandbox = sandbox
        self.records = records
        self.run = run


def _snapshot(world: World, key: Key, raw: Raw, asked: _Asked) -> JobSnapshot:
    metadata, status = Metadata.parse(raw), Job.status_of(raw)
    spec = _spec(raw)
    pod = _pod(world, key, number(status))
    agent = _agent(world, key, spec)
    name = agent_name(spec)
    return JobSnapshot(
        key=key,
        metadata=metadata,
        spec=spec,
        status=status,
        agent=agent,
        agent_deleted_at=world.agents_deleted.get((key.namespace, name)),
        pod=pod,
        former=_former(world, key, number(status)),
        run=_facts(asked.run),
        token=_token(status, asked.run),
        records=asked.records,
        sandbox=asked.sandbox,
        runtime_classes=world.runtime_classes,
        crowd=_crowd(world, key, raw, name),
        quotas=_quotas(world, key.namespace),
        refusal=world.refusals.get(key.uid),
        is_recorded=world.records.is_recorded(raw),
    )


async def _run(world: World, key: Key, attempt: int) -> tuple[Run | None, Seen]:
    """The run row, where a decision may hang on it: not while the pod simply runs."""
    raw = world.cache.get(KIND, key.uid)
    pod = _pod(world, key, attempt)
    if raw is None or Job.status_of(raw).phase in TERMINAL:
        return None, world.records.condition()
    if pod is not None and pod.end is None and _is_known(raw, pod):
        return None, world.records.condition()
    try:
        run = await world.records.run_state(RunKey(key.uid, attempt))
    except UnavailableError as error:
        return None, Seen(ConditionType.RECORDS_AVAILABLE, "False", "Unavailable", error.message)
    return run, Seen(ConditionType.RECORDS_AVAILABLE, "True", "Available")


def _is_known(raw: Raw, pod: PodSeen) -> bool:
    """Whether the status shows this very pod, so that nothing of the row is needed."""
    status = Job.status_of(raw)
    return bool(status.attempts) and status.attempts[-1].pod_uid == pod.uid


async def _look_for_pod(world: World, key: Key, attempt: int) -> None:
    """A row without a pod that we know: look live before the pod counts as gone."""
    name = names.attempt_pod(key.name, key.uid, attempt)
    try:
        world.cache.put("Pod", await world.client.get(paths.of("pods", key.namespace, name)))
    except NotFoundError:
        return


def _pod(world: World, key: Key, attempt: int) -> PodSeen | None:
    name = names.attempt_pod(key.name, key.uid, attempt)
    for raw in world.cache.children(key.uid):
        if raw["metadata"]["name"] == name:
            return pods.seen(raw)
    return None


def _former(world: World, key: Key, attempt: int) -> tuple[PodSeen, ...]:
    name = names.attempt_pod(key.name, key.uid, attempt)
    return tuple(
        pods.seen(raw)
        for raw in world.cache.children(key.uid)
        if raw["metadata"]["name"] != name and pods.is_live(raw)
    )


def _spec(raw: Raw) -> JobSpec | UserError:
    try:
        return Job.parse(raw).spec
    except UserError as error:
        return error


def agent_name(spec: JobSpec | UserError) -> str:
    """The name of the Agent, or none where the spec cannot be read."""
    return spec.agent_ref.name if isinstance(spec, JobSpec) else ""


def _agent(world: World, key: Key, spec: JobSpec | UserError) -> AgentSeen | None:
    if isinstance(spec, UserError):
        return None
    raw = world.cache.named("Agent", key.namespace, spec.agent_ref.name)
    if raw is None or raw["metadata"].get("deletionTimestamp") is not None:
        return None
    try:
        agent = Agent.parse(raw)
    except UserError as error:
        invalid = Seen(ConditionType.AGENT_READY, "False", "AgentInvalid", error.message)
        return AgentSeen(raw["metadata"]["uid"], AgentSpec(), invalid)
    return AgentSeen(agent.metadata.uid, agent.spec, _readiness(agent))


def _readiness(agent: Agent) -> Seen:
    kind = ConditionType.AGENT_READY
    ready = find(agent.status.conditions, ConditionType.READY)
    if ready is None or agent.status.observed_generation != agent.metadata.generation:
        return Seen(kind, "False", "AgentPending", "the Agent was not looked at yet")
    if ready.status != "True":
        return Seen(kind, "False", ready.reason, f"the Agent is not ready: {ready.message}")
    return Seen(kind, "True", "Ready")


def _facts(run: Run | None) -> RunFacts | None:
    if run is None:
        return None
    return RunFacts(
        claimed=run.pod_uid is not None,
        result=run.result,
        acts_open=tuple(run.acts_open.values()),
        closed_reason=run.closed_reason,
    )


def _token(status: JobStatus, run: Run | None) -> int:
    """The row's token; without a row the largest that the status knows."""
    if run is not None:
        return run.token
    return max((attempt.token for attempt in status.attempts), default=0)


def _crowd(world: World, key: Key, raw: Raw, agent: str) -> Crowd:
    """Pods of the Agent that hold a slot, slots taken in this moment, older Jobs in line."""
    line = (key.namespace, agent)
    created_at = instants.text(datetime.fromisoformat(raw["metadata"]["creationTimestamp"]))
    taking = world.crowds.taking(line) - {key.uid}
    crowd = Crowd(ahead=world.crowds.ahead(line, Place(created_at, key.uid, key)))
    for pod in world.cache.group(line):
        if not pods.is_live(pod):
            continue
        owner = pod["metadata"]["ownerReferences"][0]["uid"]
        taking -= {owner}
        if owner != key.uid:
            crowd = _and(crowd, pod)
    return replace(crowd, running=crowd.running + len(taking))


def _and(crowd: Crowd, pod: Raw) -> Crowd:
    limits: dict[str, Any] = {}
    for container in pod["spec"]["containers"]:
        limits = (container.get("resources") or {}).get("limits") or {}
    found = quota.amounts(limits)
    return replace(
        crowd,
        running=crowd.running + 1,
        cpu=crowd.cpu + found.get("cpu", Decimal(0)),
        memory=crowd.memory + found.get("memory", Decimal(0)),
    )


def _quotas(world: World, namespace: str) -> tuple[quota.QuotaState, ...]:
    found = []
    for name in QUOTAS:
        raw = world.cache.named("ResourceQuota", namespace, name)
        if raw is not None:
            status = raw.get("status") or {}
            hard, used = status.get("hard") or {}, status.get("used") or {}
            found.append(quota.QuotaState(name, quota.amounts(hard), quota.amounts(used)))
    return tuple(found)
