"""A collector of traces on loopback: takes OTLP over HTTP and remembers spans."""

import gzip
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.support import waiting


@dataclass(frozen=True)
class Span:
    """A span as it came."""

    service: str
    name: str
    trace: str
    span: str
    parent: str
    attributes: dict[str, str]


@dataclass
class Collector:
    """Serves while it is entered."""

    spans: list[Span] = field(default_factory=list)
    url: str = ""

    def of(self, trace: str) -> list[Span]:
        """The spans of one trace."""
        return [each for each in self.spans if each.trace == trace]

    async def has(self, trace: str, *names: str) -> list[Span]:
        """The spans of a trace, once there is one of each of these names."""
        await waiting.until(lambda: {*names} <= {each.name for each in self.of(trace)}, 30)
        return self.of(trace)

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/v1/traces", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        told = ExportTraceServiceRequest.FromString(body)
        for resource in told.resource_spans:
            named = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                for each in scope.spans:
                    about = {one.key: one.value.string_value for one in each.attributes}
                    self.spans.append(
                        Span(
                            named["service.name"],
                            each.name,
                            each.trace_id.hex(),
                            each.span_id.hex(),
                            each.parent_span_id.hex(),
                            about,
                        )
                    )
        return web.Response(
            body=ExportTraceServiceResponse().SerializeToString(),
            content_type="application/x-protobuf",
        )
