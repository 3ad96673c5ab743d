"""Calls of tools as spans, from what programs tell of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coxswain.api.contract import RunEvent
from coxswain.api.tracing import Place
from coxswain.sidecar import tool_spans
from coxswain.store import uuid7

AT = datetime(2026, 11, 21, 3, tzinfo=UTC)
CALLER = Place(0x0AF7651916CD43DD8448EB211C80319C, 7)


def result(kind: str = "run.tool_result", **details: Any) -> RunEvent:
    given = {"id": "call_1", "name": "list_files", "outcome": "ok", **details}
    return RunEvent(id=uuid7.new(AT), seq=1, type=kind, details=given)


def test_a_call_is_told_of_by_its_result_with_the_time_that_it_took() -> None:
    (span,) = tool_spans.of(CALLER, [result("run.tool_call"), result(milliseconds=250)])
    assert span.name == "execute_tool list_files"
    assert (span.began, span.ended) == (AT - timedelta(milliseconds=250), AT)
    assert (span.place.trace, span.place.parent) == (CALLER.trace, CALLER.span)
    assert span.attributes == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "list_files",
        "gen_ai.tool.call.id": "call_1",
    }
    assert span.error == ""


def test_what_was_said_is_in_no_span() -> None:
    (span,) = tool_spans.of(CALLER, [result(text="a secret", arguments="a secret")])
    assert "a secret" not in str(span)


def test_a_refusal_of_a_tool_is_an_error() -> None:
    (span,) = tool_spans.of(CALLER, [result(outcome="error")])
    assert span.error == "error"


@pytest.mark.parametrize("milliseconds", [None, 10**30])
def test_a_program_may_leave_out_how_long_it_took_or_say_nonsense(milliseconds: int | None) -> None:
    (span,) = tool_spans.of(CALLER, [result(milliseconds=milliseconds)])
    assert span.began <= span.ended == AT
    assert span.ended - span.began <= timedelta(days=7)


def test_the_same_event_is_the_same_span_and_another_call_another() -> None:
    event, other = result(), result()
    (once,), (again,) = tool_spans.of(CALLER, [event]), tool_spans.of(CALLER, [event])
    assert once == again
    (second,) = tool_spans.of(CALLER, [other])
    assert second.place.span != once.place.span
