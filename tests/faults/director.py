"""Knows which faults are still to come, counts what they wait for, and says when one is due."""

from collections.abc import Callable
from dataclasses import dataclass

from typing_extensions import override

from tests.faults.plan import SIDECAR, Deed, Fault
from tests.faults.proxy.targets import Target


@dataclass(frozen=True)
class Fired:
    """A fault that came true, at so many seconds, for a replica, at what."""

    at: float
    replica: str
    fault: Fault
    what: str

    @override
    def __str__(self) -> str:
        when = f" {self.fault.when}" if self.fault.event is None else ""
        return f"{self.fault.do}{when} {self.what}"


@dataclass
class _Armed:
    fault: Fault
    seen: int = 0
    fired: int = 0
    first_at: float | None = None
    bound_to: str | None = None
    """Whose it has become."""


class Director:
    """Ask it of each request, event and commit as it comes. ``clock`` gives seconds."""

    def __init__(self, faults: tuple[Fault, ...], clock: Callable[[], float]) -> None:
        self._armed = [_Armed(each) for each in faults]
        self._clock = clock
        self._is_over = False
        self._leader: str | None = None
        self.fired: list[Fired] = []

    @property
    def waiting(self) -> list[Fault]:
        """The faults that have not come true even once."""
        return [each.fault for each in self._armed if not each.fired]

    @property
    def last_at(self) -> float:
        """When the last one was over; 0 without any. A replica that was frozen has gone on by then."""
        ends = [each.at + _length(each.fault) for each in self.fired]
        return max(ends, default=0.0)

    def leads(self, replica: str) -> None:
        """This one has the lease of election, as far as the API server has just said."""
        self._leader = replica

    def heal(self) -> None:
        """From now on nothing goes wrong."""
        self._is_over = True

    def on_request(self, replica: str, target: Target) -> Fault | None:
        """The fault that is due at this request."""
        return self._due(replica, str(target), lambda each: _fits_request(each, target))

    def on_event(self, replica: str, resource: str, change: str, name: str) -> Fault | None:
        """The fault that is due at this event of a watch."""
        what = f"{change} {resource} {name}"
        return self._due(replica, what, lambda each: _fits_event(each, resource, change))

    def on_commit(self, replica: str, sql: str) -> Fault | None:
        """The fault that is due at this commit."""
        return self._due(replica, f"commit of {sql}", lambda each: _fits_commit(each, sql))

    def _due(self, replica: str, what: str, fits: Callable[[Fault], bool]) -> Fault | None:
        if self._is_over:
            return None
        now, due = self._clock(), None
        is_next = True
        for each in self._armed:
            is_for_later = each.fault.then and not is_next
            is_next = is_next and each.fired > 0
            if is_for_later or not self._is_of(each, replica) or not fits(each.fault):
                continue
            each.seen += 1
            # Each counts for itself; of several that are due at once the first one has it.
            if due is None and self._is_due(each, now):
                due = each
        if due is None:
            return None
        due.fired += 1
        if due.fault.replica is not None:
            due.bound_to = replica
        due.first_at = now if due.first_at is None else due.first_at
        self.fired.append(Fired(now, replica, due.fault, what))
        return due.fault

    def _is_of(self, armed: _Armed, replica: str) -> bool:
        if armed.bound_to is not None:
            return armed.bound_to == replica
        match armed.fault.replica:
            case None:
                return replica != SIDECAR
            case "leader":
                return replica == self._leader
            case "standby":
                return replica != SIDECAR and self._leader not in (None, replica)
            case name:
                return name == replica

    @staticmethod
    def _is_due(armed: _Armed, now: float) -> bool:
        fault = armed.fault
        if armed.seen < _nth(fault):
            return False
        if fault.lasts is not None:
            return armed.first_at is None or now - armed.first_at < fault.lasts
        return armed.fired < fault.times


def _nth(fault: Fault) -> int:
    found = fault.request or fault.event or fault.commit
    assert found is not None
    return found.nth


def _length(fault: Fault) -> float:
    is_waited_for = fault.do not in (Deed.SWAP, Deed.OLD)
    return fault.seconds if fault.seconds is not None and is_waited_for else 0.0


def _fits_request(fault: Fault, target: Target) -> bool:
    wanted = fault.request
    if wanted is None or wanted.resource not in ("", target.resource):
        return False
    if wanted.verb == "write":
        return target.is_write
    return wanted.verb in ("any", target.verb)


def _fits_event(fault: Fault, resource: str, change: str) -> bool:
    wanted = fault.event
    return wanted is not None and wanted.resource == resource and wanted.type in ("any", change)


def _fits_commit(fault: Fault, sql: str) -> bool:
    return fault.commit is not None and fault.commit.words in sql
