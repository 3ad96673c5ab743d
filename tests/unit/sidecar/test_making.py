"""Objects as the API makes them."""

import asyncio

from coxswain import names
from coxswain.api import tracing
from coxswain.identity.callers import UserCaller
from coxswain.sidecar import making
from coxswain.telemetry import traces
from tests.support.otlp import Collector

CALLER = UserCaller("ann", None, acts_on_all=True)
TRACE = "0af7651916cd43dd8448eb211c80319c"
FORGED = f"00-{'f' * 32}-{'f' * 16}-01"
GIVEN = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}


def annotations(kind: str, given: str | None = None) -> dict[str, str]:
    metadata = {"annotations": {} if given is None else {names.ANNOTATION_TRACEPARENT: given}}
    with traces.request(GIVEN, "POST", "http", "/"):
        found: dict[str, str] = making.manifest(metadata, {}, CALLER, kind=kind)["metadata"][
            "annotations"
        ]
    return found


async def test_a_job_carries_the_span_of_the_request_that_makes_it() -> None:
    async with Collector() as collector:
        traces.start(collector.url, "sidecar")
        try:
            found = tracing.read(annotations("Job", FORGED)[names.ANNOTATION_TRACEPARENT])
            assert names.ANNOTATION_TRACEPARENT not in annotations("Schedule")
        finally:
            await asyncio.to_thread(traces.stop)
    assert found is not None
    assert (f"{found.trace:032x}", f"{found.span:016x}") == (TRACE, collector.spans[0].span)


def test_where_nobody_traces_a_job_carries_none() -> None:
    assert names.ANNOTATION_TRACEPARENT not in annotations("Job")
