"""What comes of a Lease: whether a row that stands as the sample says has to be written anew."""

from collections.abc import Iterator
from typing import Any

from coxswain.api.conditions import ConditionType, Seen
from coxswain.api.kind import Lease as LeaseObject
from coxswain.api.lease import LeaseSpec, LeaseState
from coxswain.api.records import Lease, LeaseHolder
from coxswain.reconcile import key
from coxswain.rules import leasing
from coxswain_controllers.lease.decide import decide
from coxswain_controllers.lease.snapshot import LeaseSnapshot
from tests.support import snapshots
from tests.support.builders import LeaseBuilder
from tests.support.transitions import samples

Body = dict[str, Any]
RECORDS = Seen(ConditionType.RECORDS_AVAILABLE, "True", "Available")
ANN, BOB = LeaseHolder.of_user("ann", None), LeaseHolder.of_user("bob", None)


def views(spec: Body) -> Iterator[tuple[str, object]]:
    """Whether the row is to be written anew, and who may steal it."""
    builder = LeaseBuilder("Lease", "deploy", spec=spec)
    snapshot = LeaseSnapshot(
        key=key.of("Lease", builder.raw),
        metadata=builder.parsed.metadata,
        lease=builder.parsed,
        status=LeaseObject.status_of(builder.raw),
        records=RECORDS,
        row=_row(LeaseBuilder("Lease", "deploy", spec=samples.SPECS["Lease"][0])),
    )
    decision = decide(snapshot, snapshots.NOW)
    yield "written anew", [type(each).__name__ for each in decision.actions]
    yield "stolen", str(leasing.refusal(_row(builder), BOB, name="deploy", steal=True))


def _row(builder: LeaseBuilder) -> Lease:
    spec: LeaseSpec = builder.parsed.spec
    return Lease(
        workspace="team",
        name="deploy",
        uid=builder.parsed.metadata.uid,
        is_removed=False,
        resource=spec.resource,
        ttl_seconds=spec.ttl_seconds,
        steal_after_seconds=spec.steal_after_seconds,
        quarantine_seconds=spec.quarantine_seconds,
        declared=spec.holder,
        is_confirmed=True,
        token=3,
        state=LeaseState.HELD,
        reason="",
        holder=ANN,
        with_run=False,
        former_holder=None,
        acquired_at=snapshots.NOW,
        renewed_at=None,
        expires_at=snapshots.at(60),
        changed_at=snapshots.NOW,
        read_at=snapshots.NOW,
    )
