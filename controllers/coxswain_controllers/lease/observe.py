"""What the cluster and the records say of a Lease."""

from coxswain import names
from coxswain.api.conditions import ConditionType, Seen
from coxswain.api.kind import Lease, Metadata
from coxswain.api.lease import LeaseState
from coxswain.api.records import Lease as Row
from coxswain.errors import NotFoundError, UnavailableError, UserError
from coxswain.kube import paths
from coxswain.reconcile import nodes, phases
from coxswain.reconcile.cache import Raw
from coxswain.reconcile.key import Key
from coxswain.reconcile.world import World
from coxswain_controllers.lease.snapshot import Former, LeaseSnapshot

KIND = "Lease"


async def observe(world: World, key: Key) -> LeaseSnapshot | None:
    """Collect the snapshot of a Lease; None where it is gone."""
    raw = world.cache.get(KIND, key.uid)
    if raw is None:
        return None
    lease, row, taken_by = _parsed(raw), None, None
    records = Seen(ConditionType.RECORDS_AVAILABLE, "True", "Available")
    resource = None if isinstance(lease, UserError) else lease.spec.resource
    try:
        row, taken_by = await world.records.lease(key.namespace, key.name, resource)
    except UnavailableError as error:
        records = Seen(ConditionType.RECORDS_AVAILABLE, "False", "Unavailable", error.message)
    return LeaseSnapshot(
        key=key,
        metadata=Metadata.parse(raw),
        lease=lease,
        status=Lease.status_of(raw),
        records=records,
        row=row,
        taken_by=taken_by,
        former=await _former(world, row),
    )


def _parsed(raw: Raw) -> Lease | UserError:
    try:
        return Lease.parse(raw)
    except UserError as error:
        return error


async def _former(world: World, row: Row | None) -> Former:
    """Look live: a lease is handed on only if the pod of its holder is surely gone."""
    holder = row.holder if row is not None and row.state is LeaseState.QUARANTINED else None
    if row is None or holder is None or holder.job_uid is None or holder.attempt is None:
        return Former.UNKNOWN
    name = names.attempt_pod(holder.job_name or "", holder.job_uid, holder.attempt)
    try:
        pod = await world.client.get(paths.of("pods", row.workspace, name))
    except NotFoundError:
        return Former.GONE
    world.cache.put("Pod", pod)
    return of_pod(pod)


def of_pod(pod: Raw) -> Former:
    """What a pod as it is tells of a holder that it was."""
    if phases.has_ended(pod):
        return Former.GONE
    is_deleting = pod["metadata"].get("deletionTimestamp") is not None
    return Former.OUT_OF_REACH if is_deleting or nodes.is_silent(pod) else Former.RUNNING
