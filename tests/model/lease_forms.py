"""How a Lease, its row and its holders look in a state of the model."""

import json
from functools import lru_cache
from typing import Any, NamedTuple

from coxswain import names
from coxswain.api.lease import LeaseState
from coxswain.api.records import Lease, LeaseHolder, RunKey
from coxswain.reconcile import key
from coxswain.reconcile.cache import Cache, Raw
from tests.model import forms
from tests.model.forms import NAME, START, UID
from tests.model.operators import Operator
from tests.model.passes import Ask
from tests.support import builders

LEASE = builders.lease()
KEY = key.of("Lease", LEASE.raw)
ANN = "user:ann"


class Object(NamedTuple):
    """The Lease object; ``status`` is JSON text."""

    status: str
    version: int

    @property
    def place(self) -> tuple[Any, ...]:
        """Which object it is of."""
        return ("Lease",)


class Held(NamedTuple):
    """The row. ``holder``: nobody, the person, or the number of a run."""

    token: int = 0
    floor: int = 0
    state: str = "Free"
    reason: str = ""
    holder: str | int | None = None
    text: str | None = None
    """A holder of whom only the name is known, after a restore."""
    is_late: bool = False
    """Whether the time of its holder is over."""
    is_confirmed: bool = True


class Run(NamedTuple):
    """The run that was given it last."""

    number: int
    token: int
    pod: str
    """Runs, OutOfReach or Gone."""


class State(NamedTuple):
    """Everything at one moment."""

    lease: Object
    row: Held | None
    backup: Held | None
    ann: int | None
    """The token under which the person believes to hold it."""
    run: Run | None
    largest: int
    """The largest token that was ever given out."""
    leader: Operator
    former: Operator | None
    in_flight: Ask | None
    clock: int
    faults: int
    left: int
    """How often it may still be given out."""
    is_restored: bool = False
    """Whether the records have gone back: what they knew is then what counts for who writes to them."""


def freed(row: Held, word: str) -> Held:
    return Held(row.token, row.floor, word, is_confirmed=row.is_confirmed)


def woken(state: State, row: Held) -> State:
    """The records tell the leader of each change."""
    return due(state._replace(row=row))


def due(state: State) -> State:
    return state._replace(leader=state.leader._replace(is_due=True))


def put(cache: Cache, form: Any) -> None:
    cache.put("Lease", lease_raw(form))


@lru_cache(maxsize=100_000)
def lease_raw(form: Object) -> dict[str, Any]:
    """The object as the API server has it."""
    made = LEASE.with_metadata(resourceVersion=str(form.version)).raw
    return {**made, "status": status_of(form), "form": form}


@lru_cache(maxsize=100_000)
def row_of(row: Held) -> Lease:
    """A row as the records give it."""
    at = START if row.is_late else forms.clock(1)
    holder = None if row.holder is None else holder_of(row.holder)
    if row.text is not None:
        holder = LeaseHolder(row.text)
    is_held = row.state == "Held"
    return Lease(
        workspace=builders.NAMESPACE,
        name="deploy",
        uid=KEY.uid,
        is_removed=False,
        resource="git:deploy",
        ttl_seconds=30,
        steal_after_seconds=None,
        quarantine_seconds=None,
        declared=None,
        is_confirmed=row.is_confirmed,
        token=row.token,
        state=LeaseState(row.state),
        reason=row.reason,
        holder=holder,
        with_run=isinstance(row.holder, int),
        former_holder=None,
        acquired_at=START if is_held else None,
        renewed_at=START if is_held else None,
        expires_at=at if is_held else None,
        changed_at=START,
        read_at=START,
    )


def holder_of(holder: str | int | None) -> LeaseHolder:
    if isinstance(holder, int):
        return LeaseHolder.of_run(RunKey(UID, holder), NAME)
    return LeaseHolder.of_user("ann", None)


def text_of(row: Held) -> str | None:
    if row.text is not None:
        return row.text
    return None if row.holder is None else holder_of(row.holder).text


def status_of(form: Object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(form.status)
    return found


def meaning(told: Any) -> Any:
    match told.sort:
        case "lease":
            return lease_raw(told.what)
        case "held":
            return None if told.what is None else row_of(told.what)
        case "holder":
            return pod_raw(told.what)
        case _:
            return forms.meaning(told)


def pod_name(number: int) -> str:
    return names.attempt_pod(NAME, UID, number)


def pod_raw(run: Run) -> Raw:
    metadata: dict[str, Any] = {
        "name": pod_name(run.number),
        "namespace": builders.NAMESPACE,
        "uid": f"pod-{run.number}",
        "resourceVersion": "1",
    }
    if run.pod == "OutOfReach":
        metadata["deletionTimestamp"] = START.isoformat()
    return {"metadata": metadata, "status": {"phase": "Running"}}
