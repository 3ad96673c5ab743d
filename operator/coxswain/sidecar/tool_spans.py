"""Calls of tools as spans, made of the events by which programs tell how they ended.

So no program needs an SDK. The same event told twice is the same span: its id and times are the event's.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from coxswain.api import tracing
from coxswain.api.contract import RunEvent
from coxswain.api.event_types.run import RUN_TOOL_RESULT
from coxswain.api.tracing import Place
from coxswain.store import uuid7
from coxswain.telemetry import traces
from coxswain.telemetry.traces import Ended

OK = "ok"
MOST_MILLISECONDS = 7 * 86_400_000
"""An attempt lasts no longer."""


def tell(traceparent: str | None, batch: Iterable[RunEvent]) -> None:
    """Tell of calls that have ended, below the span that the program's request names."""
    caller = tracing.read(traceparent) if traces.is_on() else None
    if caller is not None:
        for span in of(caller, batch):
            traces.ended(span)


def of(caller: Place, batch: Iterable[RunEvent]) -> Iterator[Ended]:
    """The spans; a program that does not say how long a call took tells of an instant."""
    for event in batch:
        if event.type == RUN_TOOL_RESULT.name:
            yield _of(caller, event)


def _of(caller: Place, event: RunEvent) -> Ended:
    told, at = event.details, uuid7.time_of(event.id)
    name, outcome = str(told.get("name")), str(told.get("outcome"))
    took = timedelta(milliseconds=min(told.get("milliseconds") or 0, MOST_MILLISECONDS))
    about = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.id": str(told.get("id")),
    }
    error = "" if outcome == OK else outcome
    place = caller.child("tool", event.id)
    return Ended(f"execute_tool {name}", place, at - took, at, about, error)
