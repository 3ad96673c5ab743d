"""Events of Agents."""

from coxswain.api.event_type import EventType
from coxswain.api.event_types.job import Nothing
from coxswain.api.meta import Model


class Readiness(Model):
    """Whether an Agent can work."""

    reason: str | None = None
    """Why, in one word."""


AGENT_READY = EventType("agent.ready", "An Agent can work.", Readiness, about="Agent")
AGENT_NOT_READY = EventType("agent.not_ready", "An Agent cannot work.", Readiness, about="Agent")
AGENT_DELETED = EventType(
    "agent.deleted", "The object of an Agent is no more.", Nothing, about="Agent"
)
TYPES = (AGENT_READY, AGENT_NOT_READY, AGENT_DELETED)
