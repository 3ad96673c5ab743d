"""How a Job stands in line: what it asks for, and where it stands aside. Pure."""

from datetime import datetime

from coxswain import names
from coxswain.api.agent import AgentSpec
from coxswain.api.conditions import ConditionType, find
from coxswain.api.job import TERMINAL, JobPhase, JobSpec
from coxswain.api.kind import Metadata
from coxswain.errors import UserError
from coxswain.reconcile import instants
from coxswain.reconcile.decision import Decision
from coxswain.reconcile.key import Key
from coxswain.reconcile.turns import Request
from coxswain.rules import caps, fairness
from coxswain.rules.caps import Bound, Scope
from coxswain.rules.fairness import Place, Slot, Waiting
from coxswain.sandbox.pod import Platform
from coxswain_controllers.job import aside, gates
from coxswain_controllers.job.form import AgentForm, JobForm
from coxswain_controllers.job.snapshot import JobSnapshot, number


def request(snapshot: JobSnapshot) -> Request:
    """What a Job asks for whose Agent is there."""
    job = JobForm(snapshot.metadata, snapshot.valid_spec, snapshot.status)
    return _request(job, snapshot.valid_spec, snapshot.agent_spec)


def resumed(job: JobForm, agent: AgentForm | None) -> Request | None:
    """What a Job asked for before a restart, where its status says that it stood in line."""
    if isinstance(job.spec, UserError) or job.status.phase is not JobPhase.QUEUED:
        return None
    shown = find(job.status.conditions, ConditionType.QUOTA_RESERVED)
    if agent is None or shown is None or shown.status != "False":
        return None
    return _request(job, job.spec, agent.spec)


def slot(metadata: Metadata, spec: JobSpec) -> Slot:
    """Where a Job counts."""
    owner = metadata.labels.get(names.LABEL_OWNER)
    return fairness.slot(metadata.namespace, spec.agent_ref.name, spec.queue, owner)


def parking(
    snapshot: JobSnapshot, decision: Decision, platform: Platform, now: datetime
) -> Scope | None:
    """Whose quota has no room for the Job's pod; None where something else holds it, or nothing."""
    phase = (decision.status or {}).get("phase", snapshot.status.phase)
    is_over = phase in TERMINAL or snapshot.status.phase in TERMINAL
    if is_over or snapshot.pod is not None or isinstance(snapshot.spec, UserError):
        return None
    if aside.stands_aside(snapshot):
        return None
    seen, _ = gates.evaluate(snapshot, platform, now)
    if seen[-1].type is not ConditionType.QUOTA_RESERVED:
        return None
    short = gates.shortage(snapshot, platform)
    if short is not None and short.bound is Bound.AGENT:
        return caps.of_agent(snapshot.key.namespace, snapshot.valid_spec.agent_ref.name)
    return caps.of_workspace(snapshot.key.namespace)


def _request(job: JobForm, spec: JobSpec, agent: AgentSpec) -> Request:
    metadata = job.metadata
    place = Place(-spec.priority, instants.text(metadata.creation_timestamp), metadata.uid)
    pod_name = names.attempt_pod(metadata.name, metadata.uid, number(job.status))
    key = Key("Job", metadata.namespace, metadata.name, metadata.uid)
    return Request(key, Waiting(place, slot(metadata, spec)), pod_name, gates.slots_of(agent))
