"""Spans of requests and passes, by OpenTelemetry's API.

They go nowhere until the process is started with an SDK and an exporter, and cost next to nothing.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind

_TRACER = trace.get_tracer("coxswain")


def request(headers: Mapping[str, str], method: str, route: str) -> AbstractContextManager[Span]:
    """The span of a request that came in, below the caller's own (W3C Trace Context)."""
    return _TRACER.start_as_current_span(
        f"{method} {route}",
        context=propagate.extract(headers),
        kind=SpanKind.SERVER,
        attributes={"http.request.method": method, "http.route": route},
    )


def exemplar(span: Span) -> dict[str, str] | None:
    """What a histogram keeps beside a value: the id of its trace; None where none is recorded."""
    context = span.get_span_context()
    if not (context.is_valid and context.trace_flags.sampled):
        return None
    return {"trace_id": trace.format_trace_id(context.trace_id)}


def work(title: str, **attributes: str) -> AbstractContextManager[Span]:
    """The span of a piece of work of ours."""
    return _TRACER.start_as_current_span(title, attributes=attributes)
