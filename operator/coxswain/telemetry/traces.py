"""Spans of requests, passes and attempts, by OpenTelemetry's API.

They go nowhere until ``start`` is given the address of a collector, and cost next to nothing: without one
the SDK is not even imported.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from opentelemetry import propagate, trace
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags

from coxswain.api.tracing import Place

_TRACER = trace.get_tracer("coxswain")


@dataclass(frozen=True)
class Ended:
    """A span whose ids and times are known, because what it stands for is over."""

    name: str
    place: Place
    began: datetime
    ended: datetime
    attributes: Mapping[str, str | int] = field(default_factory=dict)
    error: str = ""
    """Why it failed, in one word."""


class Tells(Protocol):
    """What ``exporting`` starts."""

    def ended(self, span: Ended) -> None:
        """Send a span that is over."""
        ...

    def close(self) -> None:
        """Send what waits."""
        ...


class _Off:
    """Tells nobody."""

    def ended(self, span: Ended) -> None:
        return

    def close(self) -> None:
        return


_tells: Tells = _Off()


def start(endpoint: str, component: str) -> None:
    """Send spans to a collector at this address of OTLP over HTTP; with an empty one, to nobody."""
    global _tells
    if endpoint:
        from coxswain.telemetry import exporting

        _tells = exporting.start(endpoint, component)


def is_on() -> bool:
    """Whether spans go anywhere."""
    return not isinstance(_tells, _Off)


def stop() -> None:
    """Send what waits, before the process ends."""
    _tells.close()


def request(headers: Mapping[str, str], method: str) -> AbstractContextManager[Span]:
    """The span of a request that came in, below the caller's own (W3C Trace Context)."""
    return _TRACER.start_as_current_span(
        method,
        context=propagate.extract(headers),
        kind=SpanKind.SERVER,
        attributes={"http.request.method": method},
    )


def answered(span: Span, method: str, route: str, status: int) -> None:
    """Its route is known now, and what it was answered."""
    span.update_name(f"{method} {route}")
    span.set_attributes({"http.route": route, "http.response.status_code": status})


def work(
    title: str, parent: Place | None = None, **attributes: str
) -> AbstractContextManager[Span]:
    """The span of a piece of work of ours, below ``parent`` or else below the current one."""
    context = None
    if parent is not None:
        flags = TraceFlags(TraceFlags.SAMPLED)
        known = SpanContext(parent.trace, parent.span, is_remote=True, trace_flags=flags)
        context = trace.set_span_in_context(NonRecordingSpan(known))
    return _TRACER.start_as_current_span(title, context=context, attributes=attributes)


def current() -> str:
    """The header by which others go on below the current span; empty where it goes nowhere."""
    found = trace.get_current_span().get_span_context()
    if not found.is_valid or not is_on():
        return ""
    return Place(found.trace_id, found.span_id).header


def ended(span: Ended) -> None:
    """Tell of a span whose ids and times are known."""
    _tells.ended(span)
