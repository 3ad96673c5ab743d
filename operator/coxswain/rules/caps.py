"""What bounds how many Jobs run at once: the installation, a workspace, a queue, an Agent. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from coxswain.rules.fairness import Slot


class Bound(StrEnum):
    """What has a cap; the narrowest first, as a Job answers."""

    AGENT = "Agent"
    QUEUE = "Queue"
    WORKSPACE = "Workspace"
    INSTALLATION = "Installation"


class Scope(NamedTuple):
    """One of these things, such as the queue ``nightly``."""

    bound: Bound
    workspace: str = ""
    name: str = ""


class Full(NamedTuple):
    """A cap that is reached."""

    scope: Scope
    most: int


@dataclass(frozen=True, slots=True)
class Caps:
    """Caps and weights of an installation. None bounds nothing; an Agent's cap is its own."""

    installation: int | None = None
    per_workspace: int | None = None
    by_workspace: Mapping[str, int] = field(default_factory=dict)
    by_queue: Mapping[str, int] = field(default_factory=dict)
    weights: Mapping[str, int] = field(default_factory=dict)

    def weight(self, workspace: str) -> int:
        """The share of a workspace."""
        return self.weights.get(workspace, 1)

    def most(self, scope: Scope) -> int | None:
        """The cap of anything but an Agent."""
        if scope.bound is Bound.QUEUE:
            return self.by_queue.get(scope.name)
        if scope.bound is Bound.WORKSPACE:
            return self.by_workspace.get(scope.workspace, self.per_workspace)
        return self.installation


INSTALLATION = Scope(Bound.INSTALLATION)


def of_agent(workspace: str, agent: str) -> Scope:
    """An Agent."""
    return Scope(Bound.AGENT, workspace, agent)


def of_queue(queue: str) -> Scope:
    """A queue, over all workspaces."""
    return Scope(Bound.QUEUE, name=queue)


def of_workspace(workspace: str) -> Scope:
    """A workspace."""
    return Scope(Bound.WORKSPACE, workspace)


def scopes(slot: Slot) -> tuple[Scope, ...]:
    """All that a Job counts for, the narrowest first."""
    return (
        of_agent(slot.workspace, slot.agent),
        of_queue(slot.queue),
        of_workspace(slot.workspace),
        INSTALLATION,
    )
