"""What to do about an Agent. Pure."""

from datetime import datetime, timedelta

from coxswain.api.kind import Agent
from coxswain.reconcile import actions
from coxswain.reconcile.decision import Decision, Note
from coxswain.sandbox import volumes
from coxswain_controllers.agent import status
from coxswain_controllers.agent.snapshot import AgentSnapshot

LOOK_AGAIN = timedelta(seconds=5)


def decide(snapshot: AgentSnapshot, now: datetime) -> Decision:
    """Make the volume claim where one is wanted; say whether Jobs can start."""
    found = status.of(snapshot, now)
    claim = _claim(snapshot)
    notes = _notes(snapshot, found)
    may_turn_ready = status.blocker(snapshot) is not None and found.get("phase") != "Failed"
    wake_at = now + LOOK_AGAIN if may_turn_ready else None
    return Decision(actions=claim, status=found, notes=notes, wake_at=wake_at)


def _claim(snapshot: AgentSnapshot) -> tuple[actions.Action, ...]:
    agent = snapshot.agent
    if not isinstance(agent, Agent) or agent.spec.workspace.type != "Persistent":
        return ()
    if snapshot.sandbox.status != "True" or _is_settled(snapshot):
        return ()
    return (actions.KeepClaim(snapshot.key.namespace, volumes.claim(agent)),)


def _is_settled(snapshot: AgentSnapshot) -> bool:
    """The claim was made, and its retention is that of this generation."""
    is_current = snapshot.status.observed_generation == snapshot.metadata.generation
    return snapshot.status.workspace_claim is not None and is_current


def _notes(snapshot: AgentSnapshot, found: dict[str, object]) -> tuple[Note, ...]:
    """Tell people once when it turns unready for a reason that they can mend."""
    why = status.blocker(snapshot)
    was = {each.type: each.reason for each in snapshot.status.conditions}
    if why is None or why.status == "Unknown" or was.get(why.type) == why.reason or not found:
        return ()
    return (Note("Warning", why.reason, why.message),)
