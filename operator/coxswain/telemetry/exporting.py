"""Spans on their way to a collector: OTLP over HTTP, by OpenTelemetry's SDK. Imported only where there is one.

A collector that is slow or away harms nobody: a thread of its own sends, what waits is bounded, and what is
too much is dropped. What the SDK would read from the environment is said here.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from threading import Thread

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.trace import StatusCode
from typing_extensions import override

from coxswain import __version__
from coxswain.api.tracing import Place
from coxswain.telemetry import traces
from coxswain.telemetry.traces import Ended

PATH = "/v1/traces"
WAITING = 2048
"""Spans that wait at most; beyond it the oldest are dropped."""
BATCH = 512
DELAY_MILLISECONDS = 2000
SEND_SECONDS = 5.0
CLOSE_SECONDS = 2.0
LONGEST = 1024
"""Characters of an attribute that are kept."""


class Exported:
    """Has spans sent there, from when it is made until it is closed."""

    def __init__(
        self, endpoint: str, component: str, *, close_seconds: float = CLOSE_SECONDS
    ) -> None:
        # One line for each batch that is lost says enough.
        logging.getLogger("opentelemetry.exporter").setLevel(logging.ERROR)
        exporter = OTLPSpanExporter(
            endpoint.rstrip("/") + PATH, timeout=SEND_SECONDS, compression=Compression.Gzip
        )
        self._ids = _Ids()
        self._close_seconds = close_seconds
        self._provider = TracerProvider(
            sampler=ParentBased(ALWAYS_ON),
            resource=Resource.create(
                {"service.name": f"coxswain-{component}", "service.version": __version__}
            ),
            shutdown_on_exit=False,
            id_generator=self._ids,
            span_limits=SpanLimits(max_attribute_length=LONGEST),
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                exporter,
                max_queue_size=WAITING,
                schedule_delay_millis=DELAY_MILLISECONDS,
                max_export_batch_size=BATCH,
            )
        )
        # Not the interpreter's one provider: what libraries would tell is theirs, and may be anything.
        self.tracer = self._provider.get_tracer("coxswain", __version__)

    def ended(self, span: Ended) -> None:
        """Send a span that is over, with its own ids."""
        place = span.place
        parent = Place(place.trace, place.parent, is_sampled=place.is_sampled)
        with self._ids.given(place):
            made = self.tracer.start_span(
                span.name,
                traces.below(parent),
                span.kind,
                span.attributes,
                start_time=_nanoseconds(span.began),
            )
        if span.error:
            made.set_status(StatusCode.ERROR)
            made.set_attribute("error.type", span.error)
        # Clocks of two machines may tell an end before its beginning.
        made.end(_nanoseconds(max(span.began, span.ended)))

    def close(self) -> None:
        """Send what waits, and wait a bounded time for it: the SDK itself would wait for half a minute."""
        closing = Thread(target=self._provider.shutdown, name="traces-close", daemon=True)
        closing.start()
        closing.join(self._close_seconds)


class _Ids(RandomIdGenerator):
    """Ids by chance, but for a span whose ids are known."""

    def __init__(self) -> None:
        self._given: ContextVar[Place | None] = ContextVar("given", default=None)

    @contextmanager
    def given(self, place: Place) -> Iterator[None]:
        """The span that is begun within has the ids of this place."""
        token = self._given.set(place)
        try:
            yield
        finally:
            self._given.reset(token)

    @override
    def generate_span_id(self) -> int:
        place = self._given.get()
        return super().generate_span_id() if place is None else place.span

    @override
    def generate_trace_id(self) -> int:
        place = self._given.get()
        return super().generate_trace_id() if place is None else place.trace


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1000
