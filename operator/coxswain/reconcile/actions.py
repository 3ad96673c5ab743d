"""What a decision may ask for: data only. Each is safe to carry out twice."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coxswain.api.contract import RunDocument
from coxswain.api.records import KeyHolder, LeaseHolder, NewLease
from coxswain.api.schedule import Overlap
from coxswain.api.ticks import Tick, TickChange
from coxswain.reconcile.key import Key


@dataclass(frozen=True, slots=True)
class RegisterKey:
    """Have the Job's idempotency key stand for it, before anything of it runs."""

    holder: KeyHolder


@dataclass(frozen=True, slots=True)
class OpenRun:
    """Write the run row of an attempt, before its pod is made."""

    document: RunDocument
    pod_name: str
    service_account: str
    last_token: int


@dataclass(frozen=True, slots=True)
class RestoreRun:
    """Write the lost row of a pod that runs, as claimed by it; a row that stands is left alone."""

    document: RunDocument
    pod_name: str
    pod_uid: str
    service_account: str
    token: int


@dataclass(frozen=True, slots=True)
class CloseRun:
    """Refuse everything that the attempt's pod still says."""

    job_uid: str
    attempt: int
    reason: str
    knows_result: bool = False
    """Whether the reason was found in the knowledge of a posted result; else one stops it."""
    is_gone: bool = True
    """Whether its pod acts no more; else the leases of the run are Quarantined until that is known."""


@dataclass(frozen=True, slots=True)
class CreatePod:
    """Make the pod of an attempt; one that is there already and ours is a success."""

    namespace: str
    manifest: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DeletePod:
    """End exactly this pod."""

    namespace: str
    name: str
    uid: str
    grace_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class AskToEnd:
    """Have the pod told by its next heartbeat: it may hear that where its node hears nothing."""

    job_uid: str
    attempt: int


@dataclass(frozen=True, slots=True)
class KeepLog:
    """Take the output of a pod that posted no result from its log into the records."""

    namespace: str
    job_name: str
    pod_name: str
    job_uid: str
    attempt: int
    at: datetime
    """When the pod ended: the time in the id of the event, so that a repeat makes no second one."""


@dataclass(frozen=True, slots=True)
class KeepClaim:
    """Make the volume claim of a persistent workspace, or bring its owner up to its retention."""

    namespace: str
    manifest: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DeleteJob:
    """Delete a Job whose time to live is over, if it is still what was seen."""

    namespace: str
    name: str
    uid: str
    resource_version: str


@dataclass(frozen=True, slots=True)
class KeepTicks:
    """Write what was decided about ticks of a Schedule, before anything is made of it."""

    change: TickChange


@dataclass(frozen=True, slots=True)
class FireTick:
    """Make the Job of a tick whose row stands; one that is there already and ours is a success.

    Where the API server refuses it for good, or refuses it still after ``until``, the tick is Missed.
    """

    uid: str
    workspace: str
    name: str
    tick: Tick
    manifest: dict[str, Any]
    until: datetime
    overlap: Overlap


@dataclass(frozen=True, slots=True)
class Displace:
    """Have a Job end for the sake of a newer tick."""

    job: Key
    reason: str
    grace_seconds: int | None = None


TickAction = KeepTicks | FireTick | Displace


@dataclass(frozen=True, slots=True)
class DefineLease:
    """Have the records stand for a Lease object as it is."""

    lease: NewLease


@dataclass(frozen=True, slots=True)
class ReclaimLease:
    """Hand on a lease that is Quarantined, if it still is, under this token."""

    place: tuple[str, str]
    token: int
    reason: str


@dataclass(frozen=True, slots=True)
class StandInLine:
    """Have a Job wait for a lease that is in its way, and nowhere else."""

    workspace: str
    lease: str
    holder: LeaseHolder


@dataclass(frozen=True, slots=True)
class LeaveLines:
    """Have a Job wait for no lease: it starts, or waits for something else."""

    workspace: str
    holder: LeaseHolder


@dataclass(frozen=True, slots=True)
class FreeLeases:
    """Have an attempt that no pod has claimed hold no lease while its Job waits for something else."""

    job_uid: str
    attempt: int


LeaseChange = DefineLease | ReclaimLease | StandInLine | LeaveLines | FreeLeases
RunChange = RegisterKey | OpenRun | RestoreRun | CloseRun | AskToEnd
RowChange = RunChange | LeaseChange
Action = RowChange | CreatePod | DeletePod | KeepLog | KeepClaim | DeleteJob | TickAction
