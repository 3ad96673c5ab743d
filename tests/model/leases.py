"""What may happen to a Lease: to its row, its holders, its operators, and the records as a whole.

A person and the runs of a Job want it. A run is given it with its start, so its pod acts under it until
it is gone; a person may act for as long as they believe to hold it, and only the token refuses them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from coxswain.api.records import Lease, LeaseHolder
from coxswain.reconcile.act import Actor
from coxswain.rules import leasing
from coxswain_controllers.lease.room import LeaseRoom
from tests.model import forms
from tests.model.explore import BrokenError, Step
from tests.model.lease_forms import (
    ANN,
    KEY,
    Held,
    Object,
    Run,
    State,
    due,
    freed,
    holder_of,
    meaning,
    put,
    row_of,
    status_of,
    text_of,
    woken,
)
from tests.model.lease_serving import LEAP, WRITES, Wire, answer
from tests.model.operators import Operator, Operators, renumbered
from tests.model.passes import Beginning, Passes


@dataclass(frozen=True)
class Bounds:
    """How much may happen."""

    faults: int = 1
    grants: int = 3


@dataclass
class LeaseModel:
    """A Lease under a room and an actor, which a test may pass in broken."""

    bounds: Bounds = field(default_factory=Bounds)
    room: Callable[[Any], Any] = LeaseRoom
    actor: Callable[..., Actor] = Actor

    def __post_init__(self) -> None:
        beginning = Beginning(
            key=KEY,
            room=self.room,
            actor=self.actor,
            wire=Wire,
            put=put,
            form_of=forms.form_of,
            meaning=meaning,
        )
        self.operators = Operators(Passes(beginning), answer, _live, WRITES)

    def first(self) -> State:
        """The object was just made, and the leader has listed it."""
        lease = Object("{}", 1)
        return State(
            lease=lease,
            row=None,
            backup=None,
            ann=None,
            run=None,
            largest=0,
            leader=Operator((lease,)),
            former=None,
            in_flight=None,
            clock=0,
            faults=self.bounds.faults,
            left=self.bounds.grants,
        )

    def check(self, state: State) -> None:
        """What is shown of a token was given out."""
        shown = status_of(state.lease).get("token", 0)
        if shown > state.largest + LEAP:
            raise BrokenError(f"the status shows token {shown}, and {state.largest} is the largest")

    def is_end(self, state: State) -> bool:
        """The status tells what is, and nobody wants another look."""
        row, shown = state.row, status_of(state.lease)
        if row is None or not row.is_confirmed or row.is_late:
            return False
        told = (shown.get("state"), shown.get("holder"), shown.get("token", 0))
        return told == (row.state, text_of(row), row.token)

    def steps(self, state: State) -> Iterator[Step]:
        """What may happen next."""
        for found in self._all(state):
            after: Any = found.after
            check_change(state, after)
            yield found._replace(after=canonical(after))

    def _all(self, state: State) -> Iterator[Step]:
        yield from self.operators.steps(state)
        if state.row is not None:
            yield from _of_holders(state, state.row)
            yield from _of_time(state, state.row)
        if state.faults:
            yield from self._faults(state._replace(faults=state.faults - 1))

    def _faults(self, state: State) -> Iterator[Step]:
        yield from self.operators.faults(state)
        if state.row is not None and state.backup is None:
            kept = state._replace(backup=state.row)
            yield Step("the records are backed up", kept, is_fault=True)
        if state.backup is not None:
            yield Step("the records are restored", _restored(state, state.backup), is_fault=True)
        run = state.run
        if run is not None and run.pod == "Runs":
            cut = state._replace(run=run._replace(pod="OutOfReach"))
            yield Step(f"the node of run {run.number} falls silent", cut, is_fault=True)

    def told(self, state: State) -> str:
        """The state in one line."""
        shown, row = status_of(state.lease), state.row
        parts = [f"status {shown.get('state')} {shown.get('holder') or ''} {shown.get('token', 0)}"]
        if row is not None:
            late = ", late" if row.is_late else ""
            new = "" if row.is_confirmed else ", unconfirmed"
            parts.append(f"row {row.state} {text_of(row) or ''} {row.token}{late}{new}")
        if state.ann is not None:
            parts.append(f"ann believes in {state.ann}")
        if state.run is not None:
            parts.append(f"run {state.run.number} {state.run.pod}, token {state.run.token}")
        return "; ".join(parts)


def check_change(before: State, after: State) -> None:
    """Tokens only grow, and nobody is given it while the pod of the run before may act."""
    was, is_now = status_of(before.lease).get("token", 0), status_of(after.lease).get("token", 0)
    if is_now < was:
        raise BrokenError(f"the token of the status fell from {was} to {is_now}")
    given = after.row is not None and after.left < before.left
    if not given or after.row is None:
        return
    if after.row.token <= before.largest:
        raise BrokenError(
            f"token {after.row.token} is given out, and {before.largest} was before it"
        )
    run = before.run
    if run is not None and run.pod != "Gone" and before.largest == run.token:
        raise BrokenError(f"it is given to {text_of(after.row)} while run {run.number} acts")


def _of_holders(state: State, row: Held) -> Iterator[Step]:
    lease = row_of(row)
    yield from _asked(state, row, lease)
    own = row.state == "Held" and not row.is_late
    if own and row.holder == ANN and state.ann == row.token:
        yield Step("ann lets go", woken(state._replace(ann=None), freed(row, "Free")))
    if state.ann is not None and leasing.wrong_token(lease, state.ann) is None:
        if state.ann < state.largest and not state.is_restored:
            raise BrokenError(f"ann writes with {state.ann}, and {state.largest} was given out")
    elif state.ann is not None:
        yield Step("ann hears that her token is old", state._replace(ann=None))
    run = state.run
    if run is None or run.pod == "Gone":
        return
    holds = row.holder == run.number and row.token == run.token
    silent = row.state == "Quarantined" and row.reason == leasing.SILENT
    if holds and run.pod == "Runs" and (own or silent):
        again = row._replace(state="Held", reason="", is_late=False)
        if again != row:
            yield Step(f"run {run.number} is heard again", woken(state, again))
    gone = state._replace(run=run._replace(pod="Gone"))
    yield Step(f"the pod of run {run.number} is gone, and nobody closed its row", due(gone))
    if holds:
        left = freed(row, "Free" if row.state == "Held" else "Expired")
        yield Step(f"run {run.number} ends and is closed", woken(gone, left))


def _asked(state: State, row: Held, lease: Lease) -> Iterator[Step]:
    if not state.left:
        return
    ann = LeaseHolder.of_user("ann", None)
    if leasing.refusal(lease, ann, name="deploy") is None and row.holder != ANN:
        given = _given(state, row, ANN)
        yield Step("ann is given it", given._replace(ann=given.largest))
    number = 1 if state.run is None else state.run.number + 1
    if state.run is not None and state.run.pod != "Gone":
        return
    if leasing.refusal(lease, holder_of(number), name="deploy") is None:
        given = _given(state, row, number)
        run = Run(number, given.largest, "Runs")
        yield Step(f"run {number} starts with it", given._replace(run=run))


def _given(state: State, row: Held, holder: str | int) -> State:
    token = max(row.token, row.floor) + 1
    held = Held(token, row.floor, "Held", "", holder, None, False, row.is_confirmed)
    return woken(state._replace(largest=max(token, state.largest), left=state.left - 1), held)


def _of_time(state: State, row: Held) -> Iterator[Step]:
    if row.state != "Held" or row.holder is None:
        return
    if not row.is_late:
        yield Step("its time is over", state._replace(row=row._replace(is_late=True)))
    elif isinstance(row.holder, int):
        doubted = row._replace(state="Quarantined", reason=leasing.SILENT, is_late=False)
        yield Step("its end is noted: in doubt", woken(state, doubted))
    else:
        yield Step("its end is noted", woken(state, freed(row, "Expired")))


def _restored(state: State, backup: Held) -> State:
    """Of a run that was given it since, and that no status tells of, nobody knows: only its token is left."""
    run, shown = state.run, status_of(state.lease).get("token", 0)
    known = run if run is None or run.token <= max(shown, backup.token) else None
    gone_back = state._replace(run=known, is_restored=True)
    return woken(gone_back, backup._replace(is_confirmed=False))


def _live(state: State) -> tuple[Any, ...]:
    return (state.lease,)


def canonical(state: State) -> State:
    """The same state with the versions of the object numbered from 1."""
    known: State
    known, renew = renumbered(state, _live(state))
    return known._replace(lease=renew(state.lease))
