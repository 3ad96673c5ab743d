"""Spans on their way to a collector, which may be slow or away."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from opentelemetry.trace import SpanKind

from coxswain.api.tracing import Place
from coxswain.telemetry import exporting
from coxswain.telemetry.exporting import Exported
from coxswain.telemetry.traces import Ended
from tests.support.otlp import Collector

AT = datetime(2026, 11, 21, 3, 0, 0, 123456, UTC)
NOWHERE = "http://127.0.0.1:9"
ROOT = Place(0x0AF7651916CD43DD8448EB211C80319C, 0x11)


def over(place: Place = ROOT, *, seconds: float = 1.5, error: str = "") -> Ended:
    ended = AT + timedelta(seconds=seconds)
    return Ended("job", place, AT, ended, {"n": 3, "text": "x" * 5000}, error, SpanKind.CLIENT)


async def closed(exported: Exported) -> None:
    await asyncio.to_thread(exported.close)


async def test_a_span_that_is_over_arrives_with_its_own_ids_and_times() -> None:
    async with Collector() as collector:
        exported = Exported(collector.url + "/", "operator")
        exported.ended(over(ROOT.child("attempt", 1), error="ExitCode"))
        exported.ended(over())
        await closed(exported)
    below, root = collector.spans
    assert (root.service, root.kind, root.parent) == ("coxswain-operator", "CLIENT", "")
    assert (int(root.trace, 16), int(root.span, 16)) == (ROOT.trace, ROOT.span)
    assert (below.trace, below.parent) == (root.trace, root.span)
    assert int(below.span, 16) == ROOT.child("attempt", 1).span
    assert root.began == int(AT.timestamp()) * 1_000_000_000 + 123_456_000
    assert root.ended - root.began == 1_500_000_000
    assert (root.attributes["n"], "error.type" in root.attributes) == (3, False)
    assert len(root.attributes["text"]) == exporting.LONGEST
    assert below.attributes["error.type"] == "ExitCode"
    assert (root.is_error, below.is_error) == (False, True)


async def test_ids_that_were_given_once_are_not_those_of_the_next_span() -> None:
    async with Collector() as collector:
        exported = Exported(collector.url, "operator")
        exported.ended(over())
        exported.tracer.start_span("other").end()
        await closed(exported)
    given, other = collector.spans
    assert given.trace != other.trace
    assert given.span != other.span


async def test_an_end_before_its_beginning_is_an_instant() -> None:
    async with Collector() as collector:
        exported = Exported(collector.url, "operator")
        exported.ended(over(seconds=-1))
        await closed(exported)
    (span,) = collector.spans
    assert span.ended == span.began


async def test_a_trace_that_nobody_keeps_is_not_sent() -> None:
    async with Collector() as collector:
        exported = Exported(collector.url, "operator")
        exported.ended(over(Place(ROOT.trace, 1, 2, is_sampled=False)))
        await closed(exported)
    assert collector.spans == []


def seconds_of(work: Callable[[], None]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def test_a_collector_that_is_away_holds_up_neither_work_nor_end() -> None:
    exported = Exported(NOWHERE, "operator", close_seconds=0.2)
    for _ in range(exporting.BATCH):
        exported.ended(over())
    assert seconds_of(exported.close) < 1


async def test_behind_a_collector_that_is_silent_a_bounded_number_waits() -> None:
    async with Collector() as collector:
        collector.is_open.clear()
        exported = Exported(collector.url, "operator", close_seconds=10)
        for _ in range(exporting.BATCH):
            exported.ended(over())
        async with asyncio.timeout(10):
            while not collector.asked:  # noqa: ASYNC110 - a thread asks
                await asyncio.sleep(0.01)
        for _ in range(2 * exporting.WAITING):
            exported.ended(over())
        collector.is_open.set()
        await closed(exported)
    assert len(collector.spans) == exporting.BATCH + exporting.WAITING
