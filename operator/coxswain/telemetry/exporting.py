"""Spans on their way to a collector: OTLP over HTTP. Imported only where there is one."""

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags
from typing_extensions import override

from coxswain import __version__
from coxswain.api.tracing import NOBODY, Place
from coxswain.telemetry.traces import Ended, Tells

PATH = "/v1/traces"
CLOSE_MILLISECONDS = 2000
SCOPE = InstrumentationScope("coxswain", __version__)


class _Exported(Tells):
    def __init__(self, provider: TracerProvider, processor: BatchSpanProcessor) -> None:
        self._provider = provider
        self._processor = processor

    @override
    def ended(self, span: Ended) -> None:
        place = span.place
        status = Status(StatusCode.ERROR, span.error) if span.error else Status(StatusCode.UNSET)
        made = ReadableSpan(
            name=span.name,
            context=_context(place),
            parent=None if place.parent == NOBODY else _context(Place(place.trace, place.parent)),
            resource=self._provider.resource,
            attributes=dict(span.attributes),
            status=status,
            start_time=int(span.began.timestamp() * 1e9),
            end_time=int(span.ended.timestamp() * 1e9),
            instrumentation_scope=SCOPE,
        )
        self._processor.on_end(made)

    @override
    def close(self) -> None:
        self._provider.force_flush(CLOSE_MILLISECONDS)


def start(endpoint: str, component: str) -> Tells:
    """Have all spans of this process sent there."""
    resource = Resource.create(
        {"service.name": f"coxswain-{component}", "service.version": __version__}
    )
    provider = TracerProvider(resource=resource)
    processor = BatchSpanProcessor(OTLPSpanExporter(endpoint.rstrip("/") + PATH))
    provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)
    return _Exported(provider, processor)


def _context(place: Place) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(place.trace, place.span, is_remote=False, trace_flags=flags)
