"""A pod of the cluster as the Job's room sees it."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from coxswain import names
from coxswain.api.conditions import ConditionType, Seen
from coxswain.reconcile import instants
from coxswain.reconcile.cache import Raw
from coxswain.rules import quota
from coxswain.rules.outcome import PodEnd
from coxswain_controllers.job.snapshot import PodSeen, Used

ENDED = ("Succeeded", "Failed")
IMAGE_REASONS = ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull")


def seen(raw: Raw) -> PodSeen:
    """Read a pod."""
    metadata, status = raw["metadata"], raw.get("status") or {}
    container = _container(status)
    state = container.get("state") or {}
    is_deleting = metadata.get("deletionTimestamp") is not None
    return PodSeen(
        name=metadata["name"],
        uid=metadata["uid"],
        attempt=int((metadata.get("labels") or {}).get(names.LABEL_ATTEMPT, "0")),
        created_at=datetime.fromisoformat(metadata["creationTimestamp"]),
        running_since=_running_since(status, state),
        ended_at=instants.read((state.get("terminated") or {}).get("finishedAt")),
        end=_end(status, state, is_deleting) if status.get("phase") in ENDED else None,
        is_deleting=is_deleting,
        waits_for=_waits_for(status, state),
        is_unready=_has_condition(status, "Ready", "False"),
    )


def uses(raw: Raw) -> Used:
    """What a pod may use at most."""
    cpu = memory = Decimal(0)
    for container in raw["spec"]["containers"]:
        found = quota.amounts((container.get("resources") or {}).get("limits") or {})
        cpu += found.get("cpu", Decimal(0))
        memory += found.get("memory", Decimal(0))
    return Used(cpu, memory)


def is_live(raw: Raw) -> bool:
    """Whether the pod runs or may still run."""
    return (raw.get("status") or {}).get("phase") not in ENDED


def _container(status: dict[str, Any]) -> dict[str, Any]:
    for each in status.get("containerStatuses") or ():
        if each.get("name") == names.AGENT_CONTAINER:
            found: dict[str, Any] = each
            return found
    return {}


def _running_since(status: dict[str, Any], state: dict[str, Any]) -> datetime | None:
    for each in ("running", "terminated"):
        started = (state.get(each) or {}).get("startedAt")
        if started is not None:
            return datetime.fromisoformat(started)
    if status.get("phase") in ("Running", *ENDED):
        return instants.read(status.get("startTime"))
    return None


def _end(status: dict[str, Any], state: dict[str, Any], is_deleting: bool) -> PodEnd:
    """Read the end; a pod that somebody deleted while it ran did not end by itself."""
    terminated = state.get("terminated") or {}
    return PodEnd(
        succeeded=status.get("phase") == "Succeeded",
        disrupted=is_deleting or _has_condition(status, "DisruptionTarget", "True"),
        pod_reason=str(status.get("reason") or ""),
        container_reason=str(terminated.get("reason") or ""),
        exit_code=terminated.get("exitCode"),
        message=_why(status, terminated),
    )


def _why(status: dict[str, Any], terminated: dict[str, Any]) -> str:
    """The program's last word; of an eviction only the kubelet knows what was too much."""
    said, known = str(terminated.get("message") or ""), str(status.get("message") or "")
    return known or said if status.get("reason") == "Evicted" else said or known


def _waits_for(status: dict[str, Any], state: dict[str, Any]) -> Seen | None:
    """Why a pod has not started: no node takes it, no image, no volume."""
    kind = ConditionType.POD_STARTED
    if status.get("phase", "Pending") != "Pending":
        return None
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            text = str(condition.get("message") or "no node takes the pod")
            return Seen(kind, "False", "Unschedulable", text)
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
