"""Calls of tools as spans, made of the two events by which a program tells of each.

The program needs no SDK for it. A call whose begin another replica took has only its end here, and is told as
an instant.
"""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime

from coxswain.api import tracing
from coxswain.api.contract import RunEvent
from coxswain.store import uuid7
from coxswain.telemetry import traces
from coxswain.telemetry.traces import Ended

CALL, RESULT = "run.tool_call", "run.tool_result"
REMEMBER = 10_000
FAILED = "error"


class ToolSpans:
    """One for the process."""

    def __init__(self) -> None:
        self._begun: OrderedDict[tuple[str, str], datetime] = OrderedDict()

    def tell(self, pod_uid: str, traceparent: str | None, batch: Iterable[RunEvent]) -> None:
        """Tell of calls that have ended, below the span that the program's requests name."""
        attempt = tracing.read(traceparent)
        if attempt is None or not traces.is_on():
            return
        for event in batch:
            key = pod_uid, str(event.details.get("id", ""))
            if event.type == CALL:
                self._begun[key] = uuid7.time_of(event.id)
                if len(self._begun) > REMEMBER:
                    self._begun.popitem(last=False)
            elif event.type == RESULT:
                began = self._begun.pop(key, uuid7.time_of(event.id))
                traces.ended(_span(event, began, attempt.child("tool", *key)))


def _span(event: RunEvent, began: datetime, place: tracing.Place) -> Ended:
    name = str(event.details.get("name", ""))[:63]
    about: dict[str, str | int] = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.call.id": str(event.details.get("id", ""))[:128],
    }
    failed = FAILED if event.details.get("outcome") == FAILED else ""
    return Ended(f"execute_tool {name}", place, began, uuid7.time_of(event.id), about, failed)
