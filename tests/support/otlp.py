"""A collector of traces on loopback: takes OTLP over HTTP and remembers spans."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1 import trace_pb2
from typing_extensions import override

from tests.support import waiting
from tests.support.served import Served

PROTOBUF = "application/x-protobuf"


@dataclass(frozen=True)
class Span:
    """A span as it came; times in nanoseconds, ids in hex, no parent is empty."""

    service: str
    name: str
    kind: str
    trace: str
    span: str
    parent: str
    began: int
    ended: int
    attributes: dict[str, Any]
    is_error: bool


@dataclass
class Collector(Served):
    """Serves while it is entered. Whoever clears ``is_open`` has it answer nobody until it is set."""

    RUNNER: ClassVar[dict[str, Any]] = {"shutdown_timeout": 0}
    spans: list[Span] = field(default_factory=list)
    is_open: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0

    def of(self, trace: str) -> list[Span]:
        """The spans of one trace."""
        return [each for each in self.spans if each.trace == trace]

    async def has(self, trace: str, *names: str, beyond: str = "") -> list[Span]:
        """The spans of a trace, once there is one of each of these names, and each one's parent.

        ``beyond`` is a parent that nobody tells of.
        """

        def is_whole() -> bool:
            spans = self.of(trace)
            parents = {each.parent for each in spans} - {"", beyond}
            known = {each.span for each in spans}
            return {*names} <= {each.name for each in spans} and parents <= known

        try:
            await waiting.until(is_whole, 30)
        except TimeoutError:
            told = sorted(each.name for each in self.of(trace))
            raise AssertionError(f"of {names} there are only {told}") from None
        return self.of(trace)

    def __post_init__(self) -> None:
        self.is_open.set()

    @override
    def _application(self) -> web.Application:
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/v1/traces", self._take)
        return app

    async def _take(self, request: web.Request) -> web.Response:
        self.asked += 1
        if request.content_type != PROTOBUF:
            return web.Response(status=415)
        # aiohttp has undone the gzip, by the header that says so.
        self.spans += _spans(ExportTraceServiceRequest.FromString(await request.read()))
        await self.is_open.wait()
        answer = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=answer, content_type=PROTOBUF)


def _spans(told: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource in told.resource_spans:
        service = _attributes(resource.resource.attributes)["service.name"]
        for scope in resource.scope_spans:
            for each in scope.spans:
                yield Span(
                    service,
                    each.name,
                    trace_pb2.Span.SpanKind.Name(each.kind).removeprefix("SPAN_KIND_"),
                    each.trace_id.hex(),
                    each.span_id.hex(),
                    each.parent_span_id.hex(),
                    each.start_time_unix_nano,
                    each.end_time_unix_nano,
                    _attributes(each.attributes),
                    each.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
                )


def _attributes(told: Any) -> dict[str, Any]:
    """Texts, numbers and truths."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in told}
