"""From a slow bucket to the trace of a request or a pass that was so slow."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parsed
from prometheus_client.parser import text_string_to_metric_families as parsed_plain

from coxswain.reconcile import key
from coxswain.telemetry import metrics, traces
from coxswain.web import middleware, server
from coxswain.web.health import Health
from tests.support import builders
from tests.unit.reconcile.test_loop import Rig

TRACE = "0af7651916cd43dd8448eb211c80319c"
SAMPLED, UNSAMPLED = f"00-{TRACE}-b7ad6b7169203331-01", f"00-{TRACE}-b7ad6b7169203331-00"
# What Prometheus sends.
ACCEPT = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"
)


@pytest_asyncio.fixture
async def api() -> AsyncIterator[aiohttp.ClientSession]:
    """A server whose name in metrics is this test's alone."""
    app = web.Application(middlewares=[middleware.observe("exemplars")])
    app.router.add_get("/hello", _hello)
    async with (
        server.serving(app, "127.0.0.1", 0, drain_seconds=1) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        yield session


async def _hello(_request: web.Request) -> web.Response:
    return web.Response()


async def scraped(accept: str) -> tuple[str, str]:
    """What Prometheus gets: content type and text."""
    async with (
        server.serving(Health().app(), "127.0.0.1", 0, drain_seconds=1) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
        session.get("/metrics", headers={"Accept": accept}) as answer,
    ):
        return answer.headers["Content-Type"], await answer.text()


def traced(families: list[Metric], name: str, **labels: str) -> list[str]:
    """The traces beside the buckets of a histogram."""
    return [
        sample.exemplar.labels["trace_id"]
        for family in families
        for sample in family.samples
        if sample.name == f"{name}_bucket"
        and labels.items() <= sample.labels.items()
        and sample.exemplar is not None
    ]


async def test_a_request_of_a_trace_that_is_kept_leaves_its_id(api: aiohttp.ClientSession) -> None:
    for caller in ({}, {"traceparent": UNSAMPLED}):
        async with api.get("/hello", headers=caller):
            pass
    _, before = await scraped(ACCEPT)
    name, labels = "coxswain_http_request_seconds", {"server": "exemplars"}
    assert traced(list(parsed(before)), name, **labels) == []
    async with api.get("/hello", headers={"traceparent": SAMPLED}):
        pass
    content_type, text = await scraped(ACCEPT)
    assert content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert traced(list(parsed(text)), name, **labels) == [TRACE]


async def test_a_pass_within_a_trace_leaves_its_id() -> None:
    context = SpanContext(int(TRACE, 16), 1, is_remote=True, trace_flags=TraceFlags(1))
    with trace.use_span(NonRecordingSpan(context)):
        await Rig().loop.make_pass(key.of("Job", builders.job("bad").raw))
    _, text = await scraped(ACCEPT)
    assert TRACE in traced(list(parsed(text)), "coxswain_reconcile_seconds", kind="Job")


async def test_those_who_take_plain_text_get_the_same_numbers_without() -> None:
    content_type, text = await scraped("text/plain")
    assert content_type == metrics.CONTENT_TYPE
    assert TRACE not in text
    _, rich = await scraped(ACCEPT)
    assert _numbers(list(parsed_plain(text))) == _numbers(list(parsed(rich)))


def _numbers(families: list[Metric]) -> set[tuple[str, str]]:
    """Every series of ours."""
    return {
        (sample.name, str(sorted(sample.labels.items())))
        for family in families
        for sample in family.samples
        if sample.name.startswith("coxswain_")
    }


@pytest.mark.parametrize(
    ("flags", "found"), [(TraceFlags(1), {"trace_id": TRACE}), (TraceFlags(0), None)]
)
def test_what_nobody_keeps_has_no_exemplar(flags: TraceFlags, found: dict[str, str] | None) -> None:
    context = SpanContext(int(TRACE, 16), 1, is_remote=False, trace_flags=flags)
    assert traces.exemplar(NonRecordingSpan(context)) == found
