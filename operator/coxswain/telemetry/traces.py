"""Spans of requests, passes, Jobs and calls, by OpenTelemetry's API. docs/traces.md lists them.

They go nowhere until ``start`` is given the address of a collector: without one the SDK is not even
imported. Names and attributes are those of OpenTelemetry's conventions for HTTP and GenAI.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    Tracer,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from coxswain.api.tracing import NOBODY, Place
from coxswain.errors import CoxswainError

Attributes = Mapping[str, str | int | float | bool]

FIRST_ERROR = 500
_CALLERS = TraceContextTextMapPropagator()


@dataclass(frozen=True)
class Ended:
    """A span whose ids and times are known, because what it stands for is over."""

    name: str
    place: Place
    began: datetime
    ended: datetime
    attributes: Attributes = field(default_factory=dict)
    error: str = ""
    """Why it failed, in one word."""
    kind: SpanKind = SpanKind.INTERNAL


class Exporter(Protocol):
    """What ``exporting`` starts."""

    tracer: Tracer

    def ended(self, span: Ended) -> None:
        """Send a span that is over."""
        ...

    def close(self) -> None:
        """Send what waits, and wait a bounded time for it."""
        ...


_exporter: Exporter | None = None


def start(endpoint: str, component: str) -> None:
    """Send this process's spans to a collector at this address of OTLP over HTTP; to an empty one, none."""
    global _exporter
    if endpoint:
        from coxswain.telemetry import exporting

        _exporter = exporting.Exported(endpoint, component)


def stop() -> None:
    """Send what waits, at the end of the process; nothing is told from then on."""
    global _exporter
    if _exporter is not None:
        _exporter.close()
    _exporter = None


def is_on() -> bool:
    """Whether spans go anywhere."""
    return _exporter is not None


def request(
    headers: Mapping[str, str], method: str | None, scheme: str, path: str
) -> AbstractContextManager[Span]:
    """The span of a request that came in, below the caller's own; ``method`` is None for no known one.

    Where nobody traces it is the caller's, so that exemplars name the trace all the same.
    """
    context = _CALLERS.extract(headers)
    if _exporter is None:
        return nullcontext(trace.get_current_span(context))
    attributes = {
        "http.request.method": method or "_OTHER",
        "url.scheme": scheme,
        # A path may hold what is no text, and one span that cannot be sent takes others with it.
        "url.path": path.encode(errors="replace").decode(),
    }
    return _begun(_exporter.tracer, method or "HTTP", context, SpanKind.SERVER, attributes)


def answered(span: Span, method: str | None, route: str | None, status: int) -> None:
    """What a request was answered, and whose route it was, if anybody's."""
    if not span.is_recording():
        return
    span.set_attribute("http.response.status_code", status)
    if route is not None:
        span.update_name(f"{method or 'HTTP'} {route}")
        span.set_attribute("http.route", route)
    if status >= FIRST_ERROR:
        _fail(span, str(status))


def work(
    title: str, attributes: Attributes, parent: Place | None = None
) -> AbstractContextManager[Span]:
    """The span of a piece of work of ours, below ``parent`` or else below the current one."""
    if _exporter is None:
        return nullcontext(trace.get_current_span())
    context = None if parent is None else below(parent)
    return _begun(_exporter.tracer, title, context, SpanKind.INTERNAL, attributes)


def current() -> Place | None:
    """The span below which others go on; None where there is none or nobody traces."""
    found = trace.get_current_span().get_span_context()
    if _exporter is None or not found.is_valid:
        return None
    return Place(found.trace_id, found.span_id, is_sampled=found.trace_flags.sampled)


def ended(span: Ended) -> None:
    """Tell of a span whose ids and times are known."""
    if _exporter is not None:
        _exporter.ended(span)


def below(place: Place) -> Context:
    """Where what this span causes is begun; for a place that is nobody's, a trace of its own."""
    if place.span == NOBODY:
        return Context()
    flags = TraceFlags(TraceFlags.SAMPLED if place.is_sampled else TraceFlags.DEFAULT)
    context = SpanContext(place.trace, place.span, is_remote=True, trace_flags=flags)
    return trace.set_span_in_context(NonRecordingSpan(context), Context())


def exemplar(span: Span) -> dict[str, str] | None:
    """What a histogram keeps beside a value: the id of its trace; None where none is recorded."""
    context = span.get_span_context()
    if not (context.is_valid and context.trace_flags.sampled):
        return None
    return {"trace_id": trace.format_trace_id(context.trace_id)}


@contextmanager
def _begun(
    tracer: Tracer, title: str, context: Context | None, kind: SpanKind, attributes: Attributes
) -> Iterator[Span]:
    with tracer.start_as_current_span(
        title,
        context,
        kind,
        attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except BaseException as error:
            _fail(span, error.code if isinstance(error, CoxswainError) else type(error).__name__)
            raise


def _fail(span: Span, why: str) -> None:
    span.set_status(StatusCode.ERROR)
    span.set_attribute("error.type", why)
