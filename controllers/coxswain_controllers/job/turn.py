"""How a Job stands in line: what it asks for, and where it stands aside. Pure."""

from datetime import datetime

from coxswain import names
from coxswain.api.conditions import ConditionType
from coxswain.api.job import TERMINAL
from coxswain.errors import UserError
from coxswain.reconcile import instants
from coxswain.reconcile.decision import Decision
from coxswain.reconcile.turns import Request
from coxswain.rules import caps, fairness
from coxswain.rules.caps import Bound, Scope
from coxswain.rules.fairness import Place, Slot, Waiting
from coxswain.sandbox.pod import Platform
from coxswain_controllers.job import gates
from coxswain_controllers.job.snapshot import JobSnapshot


def request(snapshot: JobSnapshot) -> Request:
    """What a Job asks for whose Agent is there."""
    created_at = instants.text(snapshot.metadata.creation_timestamp)
    place = Place(-snapshot.valid_spec.priority, created_at, snapshot.key.uid)
    agent = snapshot.agent
    most = gates.slots_of(agent) if agent is not None else 1
    return Request(snapshot.key, Waiting(place, slot(snapshot)), snapshot.pod_name, most)


def slot(snapshot: JobSnapshot) -> Slot:
    """Where the Job counts."""
    spec = snapshot.valid_spec
    owner = snapshot.metadata.labels.get(names.LABEL_OWNER)
    return fairness.slot(snapshot.key.namespace, spec.agent_ref.name, spec.queue, owner)


def parking(
    snapshot: JobSnapshot, decision: Decision, platform: Platform, now: datetime
) -> Scope | None:
    """Whose quota has no room for the Job's pod; None where something else holds it, or nothing."""
    phase = (decision.status or {}).get("phase", snapshot.status.phase)
    is_over = phase in TERMINAL or snapshot.status.phase in TERMINAL
    if is_over or snapshot.pod is not None or isinstance(snapshot.spec, UserError):
        return None
    seen, _ = gates.evaluate(snapshot, platform, now)
    if seen[-1].type is not ConditionType.QUOTA_RESERVED:
        return None
    short = gates.shortage(snapshot, platform)
    if short is not None and short.bound is Bound.AGENT:
        return caps.of_agent(snapshot.key.namespace, snapshot.valid_spec.agent_ref.name)
    return caps.of_workspace(snapshot.key.namespace)
