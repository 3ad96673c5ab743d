"""The status of an Agent, from what was seen."""

from datetime import datetime
from typing import Any

from coxswain import names
from coxswain.api.agent import AgentPhase
from coxswain.api.conditions import ConditionType, Seen, merge
from coxswain.errors import UserError
from coxswain.reconcile import instants
from coxswain_controllers.agent.snapshot import AgentSnapshot


def of(snapshot: AgentSnapshot, now: datetime) -> dict[str, Any]:
    """The whole status; equal to the old one where nothing changed."""
    generation = snapshot.metadata.generation
    seen = (*_parts(snapshot), *_enforced(snapshot), *_overall(snapshot))
    update = {
        "phase": _phase(snapshot),
        "observed_generation": generation,
        "conditions": merge(
            snapshot.status.conditions, seen, generation=generation, now=instants.text(now)
        ),
        "workspace_claim": _claim(snapshot),
    }
    return snapshot.status.model_copy(update=update).to_wire()


def blocker(snapshot: AgentSnapshot) -> Seen | None:
    """The first condition that is not true; None where Jobs can start."""
    return next((each for each in _parts(snapshot) if each.status != "True"), None)


def _parts(snapshot: AgentSnapshot) -> tuple[Seen, ...]:
    if isinstance(snapshot.agent, UserError):
        text = snapshot.agent.message
        return (Seen(ConditionType.ACCEPTED, "False", "Invalid", text),)
    accepted = Seen(ConditionType.ACCEPTED, "True", "Valid")
    return (accepted, snapshot.model, snapshot.sandbox)


def _enforced(snapshot: AgentSnapshot) -> tuple[Seen, ...]:
    """Shown beside the others; it holds nothing up."""
    return () if snapshot.enforced is None else (snapshot.enforced,)


def _overall(snapshot: AgentSnapshot) -> tuple[Seen, ...]:
    """Ready, Reconciling and Stalled, as kstatus reads them."""
    why = blocker(snapshot)
    if why is None and _is_suspended(snapshot):
        return (
            Seen(ConditionType.READY, "False", "Suspended", "spec.suspend is true"),
            Seen(ConditionType.RECONCILING, "False", "Suspended"),
            Seen(ConditionType.STALLED, "False", "Suspended"),
        )
    if why is None:
        return (
            Seen(ConditionType.READY, "True", "Ready", "Jobs can start"),
            Seen(ConditionType.RECONCILING, "False", "Ready"),
            Seen(ConditionType.STALLED, "False", "Ready"),
        )
    is_final = isinstance(snapshot.agent, UserError)
    return (
        Seen(ConditionType.READY, "False", why.reason, why.message),
        Seen(ConditionType.RECONCILING, "False" if is_final else "True", why.reason),
        Seen(ConditionType.STALLED, "True" if is_final else "False", why.reason),
    )


def _phase(snapshot: AgentSnapshot) -> AgentPhase:
    if isinstance(snapshot.agent, UserError):
        return AgentPhase.FAILED
    if _is_suspended(snapshot):
        return AgentPhase.SUSPENDED
    return AgentPhase.READY if blocker(snapshot) is None else AgentPhase.PENDING


def _is_suspended(snapshot: AgentSnapshot) -> bool:
    return not isinstance(snapshot.agent, UserError) and snapshot.agent.spec.suspend


def _claim(snapshot: AgentSnapshot) -> str | None:
    if snapshot.status.workspace_claim is not None or isinstance(snapshot.agent, UserError):
        return snapshot.status.workspace_claim
    wanted = snapshot.agent.spec.workspace.type == "Persistent"
    if not wanted or snapshot.sandbox.status != "True":
        return None
    return names.workspace_claim(snapshot.metadata.name, snapshot.metadata.uid)
