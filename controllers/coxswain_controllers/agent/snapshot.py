"""What one pass saw of an Agent."""

from dataclasses import dataclass

from coxswain.api.agent import AgentStatus
from coxswain.api.conditions import Seen
from coxswain.api.kind import Agent, Metadata
from coxswain.errors import UserError
from coxswain.reconcile.key import Key


@dataclass(frozen=True, slots=True)
class AgentSnapshot:
    """Everything about one Agent at one moment."""

    key: Key
    metadata: Metadata
    agent: Agent | UserError
    status: AgentStatus
    model: Seen
    """The condition ModelReady: the model gateway's word."""
    sandbox: Seen
    """The condition SandboxReady of the workspace and of the Agent's runtime."""
    enforced: Seen | None
    """The condition SandboxEnforced of the workspace's network; None where nothing probes it."""
