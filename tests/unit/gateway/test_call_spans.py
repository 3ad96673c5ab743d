"""Model calls as spans."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from opentelemetry.trace import SpanKind

from coxswain.api.tracing import Place
from coxswain.gateway.models import call_spans
from coxswain.store import uuid7
from coxswain.store.usage import Call

AT = datetime(2026, 11, 21, 3, tzinfo=UTC)
CALLER = Place(0x0AF7651916CD43DD8448EB211C80319C, 7)
CALL = Call(
    id=uuid7.new(AT),
    workspace="demo",
    agent_name="a",
    job_uid="u",
    attempt=1,
    alias="default",
    provider="openai",
    model="gpt-4",
    milliseconds=1500,
    streamed=True,
    outcome="ok",
    input_tokens=12,
    output_tokens=0,
)


def test_a_call_is_a_client_span_named_by_operation_and_model() -> None:
    span = call_spans.of(CALL, CALLER, AT, 0.25)
    assert (span.name, span.kind) == ("chat gpt-4", SpanKind.CLIENT)
    assert (span.began, span.ended) == (AT, AT + timedelta(seconds=1.5))
    assert (span.place.trace, span.place.parent) == (CALLER.trace, CALLER.span)
    assert span.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4",
        "gen_ai.request.stream": True,
        "gen_ai.response.time_to_first_chunk": 0.25,
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 0,
    }
    assert span.error == ""


def test_what_is_not_known_is_not_said() -> None:
    silent = replace(CALL, streamed=False, input_tokens=0, output_tokens=0)
    about = call_spans.of(silent, CALLER, AT, None).attributes
    assert not {name for name in about if "usage" in name or "stream" in name or "first" in name}


def test_a_call_that_failed_says_by_which_outcome() -> None:
    assert call_spans.of(replace(CALL, outcome="RateLimited"), CALLER, AT, None).error == (
        "RateLimited"
    )
