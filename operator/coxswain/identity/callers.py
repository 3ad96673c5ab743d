"""The sorts of callers. What is not one of them is not let in."""

from dataclasses import dataclass
from typing import TypeAlias

from typing_extensions import override

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
    """A person."""

    name: str

    @override
    def __str__(self) -> str:
        return f"user:{self.name}"


Caller: TypeAlias = PodCaller | AgentCaller | UserCaller
