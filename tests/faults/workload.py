"""The form of a workload: a module of tests.faults.workloads with ``play``, ``ENDS`` and ``SCRIPT``."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tests.faults.agents import Agents, Script
from tests.faults.callers import Api
from tests.faults.ends import Ends
from tests.faults.replicas import Replicas
from tests.support.kubelet import Kubelet
from tests.support.leader import Installation
from tests.support.postgres import Database
from tests.support.workspace import Ledger, Workspace


class Scene(Protocol):
    """What a workload works with; nothing of it goes through a proxy."""

    workspace: Workspace
    ledger: Ledger
    kubelet: Kubelet
    agents: Agents
    api: Api
    """Over which it goes to a proxy after all; only where the workload wants the sidecar."""
    installation: Installation
    database: Database
    operators: Replicas


@dataclass(frozen=True)
class Workload:
    """What is played, what every pod does, and how it has to end."""

    name: str
    about: str
    play: Callable[[Scene], Awaitable[None]]
    ends: Ends
    script: Script
    settings: Mapping[str, Any]
    """Of the operator, beside those that all have."""
    has_sidecar: bool = False
    """Whether the sidecar API is there, for somebody to call it."""
    replicas: int = 1
    """At least so many, whatever a plan asks for."""
    revision: int | None = None
    """Of the schema that the operators find; none is the newest."""
    waits: float = 0.0
    """Seconds from its beginning, at the least, that pass by what it asks for, such as a time that has to run out."""
