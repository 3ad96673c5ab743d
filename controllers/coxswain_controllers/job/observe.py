"""What the cluster and the records say of a Job, in one frozen snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from coxswain import names
from coxswain.api import lineage
from coxswain.api.agent import AgentSpec
from coxswain.api.conditions import ConditionType, Seen, find
from coxswain.api.job import TERMINAL, JobSpec, JobStatus
from coxswain.api.records import Given, WantedLease
from coxswain.errors import NotFoundError, UnavailableError, UserError
from coxswain.kube import paths
from coxswain.reconcile import key as keys
from coxswain.reconcile.key import Key
from coxswain.reconcile.world import World
from coxswain.rules import idempotency, quota
from coxswain.rules.outcome import RunFacts
from coxswain.store.idempotency import KeyHolder
from coxswain.store.runs import Run, RunKey
from coxswain_controllers.job import agreed, depended, form, leased, pods, typed
from coxswain_controllers.job.form import AgentForm, JobForm
from coxswain_controllers.job.snapshot import (
    AgentSeen,
    DescentSeen,
    JobSnapshot,
    KeyClaim,
    PodSeen,
    Used,
    number,
)
from coxswain_controllers.job.typed import Typed

KIND = "Job"
QUOTAS = (names.POD_QUOTA, names.STORAGE_QUOTA)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The answers that had to be waited for."""

    sandbox: Seen
    runtime_classes: frozenset[str]
    run: Run | None
    records: Seen
    gone: Mapping[str, str]
    """Last phases of the Jobs of dependsOn that are no more, by name."""
    given: tuple[Given, ...]
    """What people said of a Job that needs their agreement."""
    typed: Typed
    key_claim: KeyClaim | None
    leases: tuple[WantedLease, ...]


async def observe(world: World, key: Key) -> JobSnapshot | None:
    """Collect the snapshot; what needs to wait is asked first, memory is read last."""
    job = _job(world, key)
    if job is None:
        return None
    attempt = number(job.status)
    starts = _starts(world, key, attempt)
    asked = await _ask(world, key, job)
    if asked.run is not None and _pod(world, key, attempt) is None:
        await _look_for_pod(world, key, attempt)
    # From here on nothing waits: what is counted stays so until the decision is reserved.
    job = _job(world, key)
    if job is None or number(job.status) != attempt:
        return None
    if starts and not _starts(world, key, attempt):
        # Its row was not asked for, and by now something hangs on it: look again.
        return None
    return _snapshot(world, key, job, asked)


def _job(world: World, key: Key) -> JobForm | None:
    return world.cache.form(KIND, key.uid, form.of_job)


async def _ask(world: World, key: Key, job: JobForm) -> _Asked:
    agent = _named_agent(world, key, job)
    wanted = agent.spec.sandbox.runtime_class_name if agent is not None else None
    default = world.platform.settings.runtime_class
    run, records = await _run(world, key, job)
    gone: Mapping[str, str] = {}
    missing = depended.missing(world, key, job)
    if missing and records.status == "True":
        gone, records = await depended.ended(world, key, job, missing)
    given: tuple[Given, ...] = ()
    if agreed.asks_people(job) and records.status == "True":
        given, records = await agreed.given(world, key)
    leases: tuple[WantedLease, ...] = ()
    if leased.wants_any(job) and records.status == "True":
        leases, records = await leased.wanted(world, key, job)
    key_claim, records = await _key_claim(world, key, job, run, records)
    has_pod = _pod(world, key, number(job.status)) is not None
    return _Asked(
        typed=await typed.resolve(world.job_types, key.namespace, job, run, has_pod=has_pod),
        sandbox=await world.workspaces.condition(key.namespace),
        runtime_classes=await world.runtimes.present((wanted, default)),
        run=run,
        records=records,
        gone=gone,
        given=given,
        key_claim=key_claim,
        leases=leases,
    )


def _snapshot(world: World, key: Key, job: JobForm, asked: _Asked) -> JobSnapshot:
    attempt = number(job.status)
    pod = _pod(world, key, attempt)
    name, agent = agent_name(job.spec), _named_agent(world, key, job)
    return JobSnapshot(
        key=key,
        metadata=job.metadata,
        spec=asked.typed.spec,
        contract=asked.typed.contract,
        key_claim=asked.key_claim,
        leases=asked.leases,
        lost_leases=leased.lost(asked.run, asked.leases),
        is_lease_in_doubt=leased.silent(asked.run, asked.leases),
        status=job.status,
        agent=_agent(agent),
        agent_deleted_at=world.agents_deleted.get((key.namespace, name)),
        pod=pod,
        former=_former(world, key, attempt),
        done=tuple(each for each in _pods(world, key) if each.end is not None),
        run=_facts(asked.run),
        token=_token(job.status, asked.run, pod),
        records=asked.records,
        sandbox=asked.sandbox,
        runtime_classes=asked.runtime_classes,
        used=_used(world, key, agent) if pod is None and agent is not None else Used(),
        full=(),
        quotas=_quotas(world, key.namespace),
        refusal=world.refusals.of(key.namespace, key.uid),
        dependencies=depended.seen(world, key, job, asked.gone),
        approval=agreed.seen(world, key, job, asked.given),
        descent=_descent(world, key, job),
        circle=depended.circle(world, key, job),
        is_recorded=world.journal.holds(key.uid, job.metadata.resource_version),
        displaced=world.displaced.of(key.uid),
        is_compared=world.is_compared,
    )


async def _run(world: World, key: Key, job: JobForm) -> tuple[Run | None, Seen]:
    """The run row, where a decision may hang on it: not while the pod has yet to start."""
    attempt = number(job.status)
    if _starts(world, key, attempt) or job.status.phase in TERMINAL:
        return None, world.records.condition()
    try:
        run = await world.records.run_state(RunKey(key.uid, attempt))
    except UnavailableError as error:
        return None, _unavailable(error)
    return run, Seen(ConditionType.RECORDS_AVAILABLE, "True", "Available")


def _starts(world: World, key: Key, attempt: int) -> bool:
    """Whether the pod of the attempt is there and has yet to start."""
    pod = _pod(world, key, attempt)
    return pod is not None and pod.running_since is None and not (pod.end or pod.given_up)


async def _key_claim(
    world: World, key: Key, job: JobForm, run: Run | None, records: Seen
) -> tuple[KeyClaim | None, Seen]:
    """Who holds the key of a Job of which nothing has run yet."""
    spec, status = job.spec, job.status
    if isinstance(spec, UserError) or spec.idempotency_key is None:
        return None, records
    if run is not None or status.phase in TERMINAL or status.attempts:
        return None, records
    if _pod(world, key, number(status)) is not None:
        return None, records
    hashed = idempotency.payload_hash(key.namespace, spec)
    wanted = KeyHolder(key.namespace, spec.idempotency_key, hashed, key.name, key.uid)
    try:
        standing = await world.records.key_holder(key.namespace, spec.idempotency_key)
    except UnavailableError as error:
        return KeyClaim(wanted, None), _unavailable(error)
    return KeyClaim(wanted, standing), records


def _unavailable(error: UnavailableError) -> Seen:
    return Seen(ConditionType.RECORDS_AVAILABLE, "False", "Unavailable", error.message)


async def _look_for_pod(world: World, key: Key, attempt: int) -> None:
    """A row without a pod that we know: look live before the pod counts as gone."""
    name = names.attempt_pod(key.name, key.uid, attempt)
    try:
        found = await world.client.get(paths.of("pods", key.namespace, name))
    except NotFoundError:
        return
    world.cache.put("Pod", found)


def _pod(world: World, key: Key, attempt: int) -> PodSeen | None:
    name = names.attempt_pod(key.name, key.uid, attempt)
    return next((pod for pod in _pods(world, key) if pod.name == name), None)


def _former(world: World, key: Key, attempt: int) -> tuple[PodSeen, ...]:
    name = names.attempt_pod(key.name, key.uid, attempt)
    return tuple(pod for pod in _pods(world, key) if pod.name != name and pod.end is None)


def _pods(world: World, key: Key) -> list[PodSeen]:
    uids = [raw["metadata"]["uid"] for raw in world.cache.children(key.uid)]
    found = [world.cache.form("Pod", uid, pods.seen) for uid in uids]
    return [pod for pod in found if pod is not None]


def agent_name(spec: JobSpec | UserError) -> str:
    """The name of the Agent, or none where the spec cannot be read."""
    return spec.agent_ref.name if isinstance(spec, JobSpec) else ""


def _named_agent(world: World, key: Key, job: JobForm) -> AgentForm | None:
    raw = world.cache.named("Agent", key.namespace, agent_name(job.spec))
    if raw is None or raw["metadata"].get("deletionTimestamp") is not None:
        return None
    return world.cache.form("Agent", raw["metadata"]["uid"], form.of_agent)


def _agent(found: AgentForm | None) -> AgentSeen | None:
    if found is None:
        return None
    metadata = found.metadata
    if found.problem is None:
        return AgentSeen(metadata.uid, metadata.creation_timestamp, found.spec, _readiness(found))
    invalid = Seen(ConditionType.AGENT_READY, "False", "AgentInvalid", found.problem)
    return AgentSeen(metadata.uid, metadata.creation_timestamp, AgentSpec(), invalid)


def _readiness(agent: AgentForm) -> Seen:
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
        heard_at=run.heartbeat_at,
        output_schema=run.document.output_schema,
    )


def _descent(world: World, key: Key, job: JobForm) -> DescentSeen | None:
    raw, annotations = world.cache.get(KIND, key.uid), job.metadata.annotations
    if raw is None or names.ANNOTATION_LINEAGE not in annotations:
        return None
    found, limits = lineage.read(annotations), world.limits
    return DescentSeen(
        parent=found.job if found is not None else "",
        depth=found.depth if found is not None else 0,
        ahead=world.descent.ahead(raw),
        max_depth=limits.max_lineage_depth,
        max_children=limits.max_jobs_from_one,
        problem=lineage.problem(annotations),
    )


def _token(status: JobStatus, run: Run | None, pod: PodSeen | None) -> int:
    """The row's token. Without a row the largest that the status knows, or the one after it.

    A pod is made after its row, and a row gets the next token: that holds for a pod, too, whose
    attempt the status does not tell of yet, and whose row was not read or is lost.
    """
    if run is not None:
        return run.token
    last = status.attempts[-1] if status.attempts else None
    is_told = pod is None or (last is not None and last.outcome is None)
    largest = max((attempt.token for attempt in status.attempts), default=0)
    return largest if is_told else largest + 1


def _used(world: World, key: Key, agent: AgentForm) -> Used:
    """What the Agent's pods of other Jobs may use, where that is bounded: there may be many."""
    bounds, cpu, memory = agent.spec.quota, Decimal(0), Decimal(0)
    if bounds.cpu is None and bounds.memory is None:
        return Used()
    for raw in world.cache.group(("pods", key.namespace, agent.metadata.name)):
        owner = keys.owner(raw)
        uses = world.cache.form("Pod", raw["metadata"]["uid"], pods.uses)
        if owner is not None and owner.uid != key.uid and uses is not None:
            cpu, memory = cpu + uses.cpu, memory + uses.memory
    return Used(cpu, memory)


def _quotas(world: World, namespace: str) -> tuple[quota.QuotaState, ...]:
    found = []
    for name in QUOTAS:
        raw = world.cache.named("ResourceQuota", namespace, name)
        if raw is not None:
            status = raw.get("status") or {}
            hard, used = status.get("hard") or {}, status.get("used") or {}
            found.append(quota.QuotaState(name, quota.amounts(hard), quota.amounts(used)))
    return tuple(found)
