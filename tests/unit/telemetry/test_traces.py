"""Spans of a process, as a collector gets them."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from coxswain.api import tracing
from coxswain.errors import TransientError
from coxswain.telemetry import traces
from coxswain.web import middleware, server
from coxswain.web.routes import ROUTE
from tests.support.otlp import Collector, Span

TRACE, CALLER_SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CALLER = f"00-{TRACE}-{CALLER_SPAN}-01"


@pytest_asyncio.fixture
async def collector() -> AsyncIterator[Collector]:
    """Takes what this process tells."""
    async with Collector() as collector:
        traces.start(collector.url, "test")
        try:
            yield collector
        finally:
            await told()


async def told() -> None:
    """Everything is sent."""
    await asyncio.to_thread(traces.stop)


@pytest_asyncio.fixture
async def api() -> AsyncIterator[str]:
    """A server with our layer."""
    app = web.Application(middlewares=[middleware.observe("traces")])
    for name in ("hello", "broken", "busy"):
        app.router.add_route("*", f"/{name}/{{who}}", _handler)
    async with server.serving(app, "127.0.0.1", 0, drain_seconds=1) as port:
        yield f"http://127.0.0.1:{port}"


async def _handler(request: web.Request) -> web.Response:
    name = request.path.split("/")[1]
    request[ROUTE] = f"/{name}/{{who}}"
    if name == "broken":
        raise RuntimeError(name)
    return web.Response(status=409 if name == "busy" else 200)


async def asked(api: str, path: str, collector: Collector, caller: str = CALLER) -> list[Span]:
    """The spans of a request."""
    async with (
        aiohttp.ClientSession(headers={"traceparent": caller} if caller else {}) as session,
        session.request("GET", f"{api}{path}"),
    ):
        pass
    await told()
    return collector.spans


async def test_a_request_is_a_span_of_its_server_below_the_callers(
    api: str, collector: Collector
) -> None:
    (span,) = await asked(api, "/hello/ann?a=b", collector)
    assert (span.service, span.name, span.kind) == ("coxswain-test", "GET /hello/{who}", "SERVER")
    assert (span.trace, span.parent) == (TRACE, CALLER_SPAN)
    assert span.attributes == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/hello/{who}",
        "url.path": "/hello/ann",
        "url.scheme": "http",
    }
    assert not span.is_error
    assert span.began < span.ended


async def test_a_request_of_nobodys_trace_is_the_root_of_one(
    api: str, collector: Collector
) -> None:
    (span,) = await asked(api, "/hello/ann", collector, "")
    assert span.parent == ""
    assert span.trace != TRACE


async def test_a_request_of_a_trace_that_nobody_keeps_is_not_told(
    api: str, collector: Collector
) -> None:
    assert await asked(api, "/hello/ann", collector, CALLER[:-1] + "0") == []


@pytest.mark.parametrize(("path", "error"), [("/broken/x", "500"), ("/busy/x", None)])
async def test_an_error_is_the_servers_alone(
    path: str, error: str | None, api: str, collector: Collector
) -> None:
    (span,) = await asked(api, path, collector)
    assert (span.attributes.get("error.type"), span.is_error) == (error, error is not None)


async def test_what_is_no_route_or_method_names_no_span(api: str, collector: Collector) -> None:
    async with aiohttp.ClientSession() as session, session.request("PROPFIND", f"{api}/tea"):
        pass
    await told()
    (span,) = collector.spans
    assert (span.name, span.attributes["http.request.method"]) == ("HTTP", "_OTHER")
    assert "http.route" not in span.attributes


async def test_a_path_that_is_no_text_takes_no_other_span_with_it(collector: Collector) -> None:
    with traces.request({}, "GET", "http", "/\udcff"):
        pass
    await told()
    assert [span.attributes["url.path"] for span in collector.spans] == ["/?"]


async def test_work_stands_below_its_place_and_says_by_which_error_it_failed(
    collector: Collector,
) -> None:
    place = tracing.Place(int(TRACE, 16), 7)
    failure = TransientError("later")
    with pytest.raises(TransientError), traces.work("reconcile Job", {"coxswain.name": "j"}, place):
        raise failure
    await told()
    (span,) = collector.spans
    assert (span.name, span.kind, span.trace) == ("reconcile Job", "INTERNAL", TRACE)
    assert int(span.parent, 16) == 7
    assert span.attributes == {"coxswain.name": "j", "error.type": failure.code}


async def test_what_a_request_causes_goes_on_below_its_span(collector: Collector) -> None:
    with traces.request({"traceparent": CALLER}, "POST", "http", "/"):
        place = traces.current()
    assert place is not None
    await told()
    assert f"{place.span:016x}" == collector.spans[0].span
    assert place.header.startswith(f"00-{TRACE}-")


async def test_what_a_request_of_no_kept_trace_causes_is_not_kept_either(
    collector: Collector,
) -> None:
    with traces.request({"traceparent": CALLER[:-1] + "0"}, "POST", "http", "/"):
        place = traces.current()
    assert place is not None
    assert (place.trace, place.is_sampled) == (int(TRACE, 16), False)


def test_a_request_goes_on_in_the_trace_of_its_caller() -> None:
    with traces.request({"traceparent": CALLER}, "GET", "http", "/") as span:
        assert f"{span.get_span_context().trace_id:032x}" == TRACE
    with traces.request({}, "GET", "http", "/") as span:
        assert not span.get_span_context().is_valid


def test_where_nobody_traces_nothing_is_recorded_and_nobody_is_told_where_he_stands() -> None:
    with traces.request({"traceparent": CALLER}, "GET", "http", "/") as span:
        assert not span.is_recording()
        assert traces.current() is None
    with traces.work("x", {}) as span:
        assert not span.is_recording()
    assert not traces.is_on()
