"""The sorts of callers. What is not one of them is not let in."""

from dataclasses import dataclass
from typing import TypeAlias

from typing_extensions import override

from coxswain import names
from coxswain.store.claims import Pod
from coxswain.store.runs import Run


@dataclass(frozen=True)
class PodCaller:
    """An agent pod that has claimed nothing yet: it may only claim."""

    pod: Pod

    @override
    def __str__(self) -> str:
        return f"pod:{self.pod.workspace}/{self.pod.name}"


@dataclass(frozen=True)
class AgentCaller:
    """An agent pod with its run, which is open."""

    pod: Pod
    run: Run

    @override
    def __str__(self) -> str:
        return f"agent:{self.run.workspace}/{self.run.agent_name}"


@dataclass(frozen=True)
class UserCaller:
    """A person, or a machine with an API key, at a route that is open to them."""

    name: str
    """Of a machine it begins with ``key:``. Objects that they make carry it."""
    workspaces: frozenset[str] | None
    """Where the route is open to them; None: everywhere."""
    acts_on_all: bool
    """Whether they act on what others made, too."""
    queues: frozenset[str] | None = None
    """Queues whose Jobs they may make and act on; None: all."""

    @override
    def __str__(self) -> str:
        return text_of(self.name)

    def covers(self, workspace: str) -> bool:
        """Whether the route is open to them in this workspace."""
        return self.workspaces is None or workspace in self.workspaces


def text_of(name: str) -> str:
    """How a person or machine of this name stands in events, logs and requests."""
    return name if name.startswith(names.MACHINE) else f"user:{name}"


Caller: TypeAlias = PodCaller | AgentCaller | UserCaller
