"""How long nobody leads: from the end of a leader until the next one has its lease, and until it acts. Pure.

The end is a kill or a freeze. One that goes on before another has its lease was no end.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from tests.faults.director import Fired
from tests.faults.plan import Deed
from tests.faults.proxy.seen import Trace

ENDINGS = (Deed.KILL, Deed.FREEZE)


class HandOver(NamedTuple):
    """How a leader ended, and so many seconds later the next one had the lease, and wrote for the first time."""

    deed: str
    led: float
    acted: float


class _End(NamedTuple):
    deed: str
    at: float
    holder: str


def seen(trace: Trace, fired: Sequence[Fired]) -> tuple[HandOver, ...]:
    """Those of a run, in order. What is written to the API server counts, and what is to Postgres."""
    return tuple(_seen(trace, fired))


def _seen(trace: Trace, fired: Sequence[Fired]) -> Iterator[HandOver]:
    """``leader`` is the replica that leads and its name in the lease, of which each start has another."""
    leader, led_at = ("", ""), 0.0
    end: _End | None = None
    for at, replica, what in _moments(trace, fired):
        if isinstance(what, Fired):
            if replica == leader[0]:
                end = end or _End(str(what.fault.do), at, leader[1])
                leader = ("", "")
        elif what:
            if end is not None and what == end.holder:
                # It was frozen, and nobody has noticed.
                end = None
            if leader != (replica, what):
                leader, led_at = (replica, what), at
        elif end is not None and replica == leader[0]:
            yield HandOver(end.deed, led_at - end.at, at - end.at)
            end = None


def _moments(trace: Trace, fired: Sequence[Fired]) -> list[tuple[float, str, Any]]:
    """A fault that may end a leader, who holds the lease, or, as no words, that something was written."""
    found: list[tuple[float, str, Any]] = []
    found += [(each.at, each.replica, each) for each in fired if each.fault.do in ENDINGS]
    for each in trace.exchanges:
        if each.holder or (each.is_done and each.target.is_write):
            found.append((each.at, each.replica, each.holder))
    found += [(each.at, each.replica, "") for each in trace.commits]
    return sorted(found, key=lambda each: each[0])
