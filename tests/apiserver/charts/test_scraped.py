"""A real Prometheus takes what a process serves: it asks for OpenMetrics, and one wrong line costs it all."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from coxswain.telemetry import metrics
from coxswain.web import server
from coxswain.web.health import Health
from devtools import patience
from tests.support import measured, prometheus

TRACE = "0af7651916cd43dd8448eb211c80319c"
SECONDS = 30.0


def _scraped(port: int, folder: Path) -> list[dict[str, str]]:
    """The labels of all series of ours, once Prometheus has them."""
    target = prometheus.Target(f"127.0.0.1:{port}", {"namespace": "here"})
    with prometheus.scraping([target], folder) as there:
        patience.until(lambda: "" if there.query("up == 1") else "a scrape that is taken", SECONDS)
        return [each["metric"] for each in there.query('{__name__=~"coxswain_.+"}')]


@pytest.mark.parametrize("trace", [None, TRACE])
async def test_every_series_arrives_with_and_without_exemplars(
    trace: str | None, tmp_path: Path
) -> None:
    exemplar = None if trace is None else {"trace_id": trace}
    metrics.HTTP_REQUEST_SECONDS.labels("scraped", "/v1/x", "GET", "2xx").observe(0.2, exemplar)
    app, types = Health().app(), set[str]()

    async def note(_request: web.Request, response: web.StreamResponse) -> None:
        types.add(response.headers["Content-Type"])

    app.on_response_prepare.append(note)
    async with server.serving(app, "127.0.0.1", 0, drain_seconds=1) as port:
        found = await asyncio.to_thread(_scraped, port, tmp_path)
    assert types == {"application/openmetrics-text; version=1.0.0; charset=utf-8"}
    wanted = {
        sample.name
        for family in metrics.REGISTRY.collect()
        for sample in family.samples
        if sample.name.startswith("coxswain_")
    }
    assert measured.families()
    assert {each["__name__"] for each in found} == wanted
    bounds = {each["le"] for each in found if each.get("server") == "scraped" and "le" in each}
    assert {"0.25", "30.0", "+Inf"} <= bounds
