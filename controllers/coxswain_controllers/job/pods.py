"""A pod of the cluster as the Job's room sees it."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from coxswain import names
from coxswain.api.conditions import ConditionType, Seen
from coxswain.api.contract import ExitCode
from coxswain.reconcile import instants, nodes, phases
from coxswain.reconcile.cache import Raw
from coxswain.rules import quota
from coxswain.rules.outcome import PodEnd
from coxswain_controllers.job.snapshot import PodSeen, Used

DOOR_NOT_READY = "DoorNotReady"
GIVES_UP = (ExitCode.FAILED, ExitCode.CLOSED, ExitCode.WRONG_ENVIRONMENT)
"""Exit codes of a door that another start would end with too."""
IMAGE_REASONS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")


def seen(raw: Raw) -> PodSeen:
    """Read a pod."""
    metadata, status = raw["metadata"], raw.get("status") or {}
    state = _container(status).get("state") or {}
    has_door, door = _has_door(raw), _container(status, names.DOOR_CONTAINER)
    is_deleting = metadata.get("deletionTimestamp") is not None
    return PodSeen(
        name=metadata["name"],
        uid=metadata["uid"],
        attempt=int((metadata.get("labels") or {}).get(names.LABEL_ATTEMPT, "0")),
        created_at=datetime.fromisoformat(metadata["creationTimestamp"]),
        running_since=_running_since(status, state),
        ended_at=instants.read((state.get("terminated") or {}).get("finishedAt")),
        end=_end(status, state, door, is_deleting) if phases.has_ended(raw) else None,
        is_deleting=is_deleting,
        waits_for=_waits_for(status, state, door if has_door else None),
        is_cut_off=nodes.is_silent(raw),
        has_door=has_door,
        given_up=_given_up(status, state, door, is_deleting),
    )


def uses(raw: Raw) -> Used:
    """What a pod may use at most."""
    cpu = memory = Decimal(0)
    for container in (*raw["spec"]["containers"], *_sidecars(raw)):
        found = quota.amounts((container.get("resources") or {}).get("limits") or {})
        cpu += found.get("cpu", Decimal(0))
        memory += found.get("memory", Decimal(0))
    return Used(cpu, memory)


def is_live(raw: Raw) -> bool:
    """Whether the pod runs or may still run."""
    return not phases.has_ended(raw)


def _sidecars(raw: Raw) -> list[dict[str, Any]]:
    """Containers that start before the program and run beside it."""
    first = (raw.get("spec") or {}).get("initContainers") or ()
    return [each for each in first if each.get("restartPolicy") == "Always"]


def _has_door(raw: Raw) -> bool:
    return any(each.get("name") == names.DOOR_CONTAINER for each in _sidecars(raw))


def _container(status: dict[str, Any], name: str = names.AGENT_CONTAINER) -> dict[str, Any]:
    """What is known of a container: of the one with the program, if nothing else is said."""
    for field in ("containerStatuses", "initContainerStatuses"):
        for each in status.get(field) or ():
            if each.get("name") == name:
                found: dict[str, Any] = each
                return found
    return {}


def _last_end(container: dict[str, Any]) -> dict[str, Any]:
    """How it ended last; nothing where it never did."""
    states = (container.get("state") or {}, container.get("lastState") or {})
    ends = [each["terminated"] for each in states if each.get("terminated")]
    return dict(ends[0]) if ends else {}


def _given_up(
    status: dict[str, Any], state: dict[str, Any], door: dict[str, Any], is_deleting: bool
) -> PodEnd | None:
    """The end of a door that will never let the program start. The kubelet starts it for ever."""
    end = _last_end(door)
    has_begun = "running" in state or "terminated" in state
    if has_begun or status.get("phase") in phases.ENDED or end.get("exitCode") not in GIVES_UP:
        return None
    return _end(status, {"terminated": end}, {}, is_deleting)


def _running_since(status: dict[str, Any], state: dict[str, Any]) -> datetime | None:
    for each in ("running", "terminated"):
        started = (state.get(each) or {}).get("startedAt")
        if started is not None:
            return datetime.fromisoformat(started)
    # When a pod is deleted, its kubelet calls a container ended that it has never started, too.
    phase, never = status.get("phase"), "terminated" in state
    if phase == "Running" or (phase in phases.ENDED and not never):
        return instants.read(status.get("startTime"))
    return None


def _end(
    status: dict[str, Any], state: dict[str, Any], door: dict[str, Any], is_deleting: bool
) -> PodEnd:
    """Read the end; a pod that somebody deleted while it ran did not end by itself."""
    terminated = state.get("terminated") or {}
    return PodEnd(
        succeeded=status.get("phase") == "Succeeded",
        disrupted=is_deleting or _has_condition(status, "DisruptionTarget", "True"),
        pod_reason=str(status.get("reason") or ""),
        container_reason=str(terminated.get("reason") or ""),
        exit_code=terminated.get("exitCode"),
        message=_why(status, terminated),
        told=str(_last_end(door).get("message") or ""),
    )


def _why(status: dict[str, Any], terminated: dict[str, Any]) -> str:
    """The program's last word; of an eviction only the kubelet knows what was too much."""
    said, known = str(terminated.get("message") or ""), str(status.get("message") or "")
    return known or said if status.get("reason") == "Evicted" else said or known


def _waits_for(
    status: dict[str, Any], state: dict[str, Any], door: dict[str, Any] | None
) -> Seen | None:
    """Why a pod has not started: no node takes it, no image, no volume, no door."""
    kind = ConditionType.POD_STARTED
    if status.get("phase", "Pending") != "Pending":
        return None
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            text = str(condition.get("message") or "no node takes the pod")
            return Seen(kind, "False", "Unschedulable", text)
    if door is not None and not door.get("started"):
        if _last_end(door) or "running" in (door.get("state") or {}):
            said = str(_last_end(door).get("message") or "the door has not claimed the run yet")
            return Seen(kind, "False", DOOR_NOT_READY, said)
        state = door.get("state") or {}
    waiting = state.get("waiting") or {}
    reason, text = str(waiting.get("reason") or ""), str(waiting.get("message") or "")
    if reason in IMAGE_REASONS:
        return Seen(kind, "False", "ImagePull", text or "the image cannot be pulled")
    if reason in ("", "ContainerCreating", "PodInitializing"):
        text = text or "volumes are mounted and the image is fetched"
        return Seen(kind, "False", "VolumeMount", text)
    return Seen(kind, "False", reason, text)


def _has_condition(status: dict[str, Any], kind: str, value: str) -> bool:
    return any(
        each.get("type") == kind and each.get("status") == value
        for each in status.get("conditions") or ()
    )
