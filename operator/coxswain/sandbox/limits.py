"""What an agent pod may use: requests and limits that always stand, and its deadline."""

from dataclasses import dataclass
from decimal import Decimal

from coxswain.api import quantity
from coxswain.api.agent import AgentSpec
from coxswain.api.contract import RunDocument
from coxswain.api.sandbox import is_device
from coxswain.settings import SandboxSettings

GRACE_SECONDS = 30
_MEBIBYTE = 2**20
_LOG_ROOM = 128 * _MEBIBYTE
DOOR_DISK = "64Mi"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Requests and limits of one container, as quantities."""

    requests: dict[str, str]
    limits: dict[str, str]


def sizes(agent: AgentSpec, settings: SandboxSettings) -> Sizes:
    """The Agent's own figures, and the installation's where it has none.

    A default gives way to what the Agent says: it never lies above its limit or below its request.
    """
    asked, bounds = agent.resources.requests, agent.resources.limits
    memory = bounds.get("memory") or _larger(asked.get("memory"), settings.agent_memory)
    cpu = bounds.get("cpu") or _larger(asked.get("cpu"), settings.agent_cpu_limit)
    disk = bounds.get("ephemeral-storage") or _larger(
        asked.get("ephemeral-storage"), _disk(agent, settings)
    )
    limits = {"cpu": cpu, "memory": memory, "ephemeral-storage": disk}
    requests = {
        "cpu": asked.get("cpu") or _smaller(cpu, settings.agent_cpu_request),
        "memory": memory,
        "ephemeral-storage": asked.get("ephemeral-storage")
        or _smaller(disk, settings.agent_ephemeral_request),
    }
    devices = {name: amount for name, amount in bounds.items() if is_device(name)}
    return Sizes({**requests, **devices}, {**limits, **devices})


def door(settings: SandboxSettings) -> Sizes:
    """What the door beside an image of one's own has; its folders and its log are small."""
    memory, disk = settings.door_memory, DOOR_DISK
    requests = {"cpu": _smaller(settings.door_cpu_limit, settings.door_cpu_request)}
    return Sizes(
        {**requests, "memory": memory, "ephemeral-storage": disk},
        {"cpu": settings.door_cpu_limit, "memory": memory, "ephemeral-storage": disk},
    )


def of_pod(agent: AgentSpec, settings: SandboxSettings, *, has_door: bool) -> list[Sizes]:
    """Of all containers that run at the same time: Kubernetes adds them up, a native sidecar too."""
    own = sizes(agent, settings)
    return [own, door(settings)] if has_door else [own]


def deadline_seconds(run: RunDocument) -> int:
    """When the kubelet ends the pod even if nobody of ours lives.

    It counts from before the image is pulled, so the time that a start may take is added; the
    attempt's own timeout is kept by the agent program and the operator.
    """
    return run.timeout_seconds + run.limits.start_timeout_seconds


def _disk(agent: AgentSpec, settings: SandboxSettings) -> str:
    """Empty folders count towards the pod's disk, so its limit holds at least them and the log."""
    if agent.workspace.type == "Persistent":
        return settings.agent_ephemeral_limit
    folders = quantity.number(agent.workspace.size) + quantity.number(settings.agent_tmp_size)
    mebibytes = -int(-(folders + _LOG_ROOM) // _MEBIBYTE)
    return _larger(settings.agent_ephemeral_limit, f"{mebibytes}Mi")


def _larger(one: str | None, other: str) -> str:
    return one if one is not None and _amount(one) > _amount(other) else other


def _smaller(one: str, other: str) -> str:
    return one if _amount(one) < _amount(other) else other


def _amount(value: str) -> Decimal:
    return quantity.number(value)
