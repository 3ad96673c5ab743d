"""Of one installation the API and a real Prometheus tell of the same alerts, and of none once it is well again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio

from devtools import children, patience
from tests.support import chart, pods, prometheus, sidecar_process
from tests.support.alert_rules import SAME
from tests.support.kubelet import Kubelet
from tests.support.leader import Installation
from tests.support.postgres import Database
from tests.support.prometheus import Prometheus, Target
from tests.support.workspace import Workspace

Body = dict[str, Any]

LIMITS = {"queueStalledSeconds": 3, "failureRatePercent": 50, "failureRateMinimum": 4}
SECONDS = 60.0
ACTIVE = f'ALERTS{{alertname=~"{"|".join(SAME.values())}", alertstate="firing"}}'


@dataclass
class Watchers:
    """Who asks the API, and a Prometheus with the chart's rules that scrapes operator and API."""

    api: aiohttp.ClientSession
    server: Prometheus

    async def both_tell(self, *names: str) -> None:
        """Wait until both tell of just these alerts, by the API's names."""
        found: tuple[set[str], set[str]] | None = None
        wanted = set(names), {SAME[each] for each in names}
        with suppress(TimeoutError):
            async with asyncio.timeout(SECONDS):
                while (found := await self._told()) != wanted:  # noqa: ASYNC110 - others tell
                    await asyncio.sleep(0.2)
        assert found == wanted

    async def _told(self) -> tuple[set[str], set[str]]:
        return await self._in_json(), await self._firing()

    async def _in_json(self) -> set[str]:
        async with self.api.get("/v1/metrics") as answer:
            return {each["name"] for each in (await answer.json())["alerts"]}

    async def _firing(self) -> set[str]:
        found = await asyncio.to_thread(self.server.query, ACTIVE)
        return {each["metric"]["alertname"] for each in found}


def _rules(folder: Path) -> tuple[Body, dict[str, str]]:
    """The groups of the chart's rules, and what it tells the API of the same limits."""
    values = {"monitoring": {"rules": {"enabled": True, "thresholds": LIMITS}}}
    objects = chart.render_with(folder, values, monitored=True)
    (rules,) = chart.of_kind(objects, "PrometheusRule")
    (sidecar,) = (
        container
        for _, template in chart.pods(objects)
        for container in chart.containers(template)
        if container["name"] == "sidecar"
    )
    told = {each["name"]: each.get("value", "") for each in sidecar["env"]}
    return rules["spec"], {key: told[key] for key in told if key.startswith("COXSWAIN_ALERTS_")}


def _pending(server: Prometheus, targets: int) -> str:
    return "" if len(server.query("up == 1")) == targets else "the first scrapes"


@pytest_asyncio.fixture
async def watchers(
    installation: Installation, database: Database, tmp_path: Path
) -> AsyncIterator[Watchers]:
    rules, told = _rules(tmp_path)
    port = children.free_port()
    # One leader all the while: the next one would count from nothing.
    with installation.operator(database, tmp_path, health_port=port, lease_seconds=15):
        async with sidecar_process.started(database.sidecar, tmp_path, **told) as sidecar:
            addresses = (f"127.0.0.1:{port}", sidecar.health_url.removeprefix("http://"))
            targets = [Target(each, {"namespace": chart.RELEASE_NAMESPACE}) for each in addresses]
            known = {"Authorization": f"Bearer {sidecar_process.TOKEN}"}
            with prometheus.scraping(targets, tmp_path, rules) as server:
                # What was counted before the first scrape, Prometheus takes for older than its window.
                pending = partial(_pending, server, len(targets))
                await asyncio.to_thread(patience.until, pending, SECONDS)
                async with aiohttp.ClientSession(sidecar.url, headers=known) as api:
                    yield Watchers(api, server)


async def test_a_queue_without_workers_is_stalled_until_they_are_back(
    watchers: Watchers, workspace: Workspace
) -> None:
    await workspace.has_agent()
    async with Kubelet(workspace.client, namespace=workspace.namespace) as kubelet:
        await workspace.has_job("before")
        await workspace.job_ends("before")
        await watchers.both_tell()
        kubelet.die()
        await workspace.has_job()
        await watchers.both_tell("QUEUE_STALLED")
        await kubelet.revive()
        await workspace.job_ends()
        await watchers.both_tell()


async def test_a_batch_that_mostly_fails_is_told_of_until_most_succeed_again(
    watchers: Watchers, workspace: Workspace
) -> None:
    await workspace.has_agent()

    async def batch(name: str, count: int) -> None:
        made = [f"{name}-{number}" for number in range(count)]
        for each in made:
            await workspace.has_job(each)
        for each in made:
            await workspace.job_ends(each)

    async with Kubelet(workspace.client, namespace=workspace.namespace) as kubelet:
        await batch("well", 2)
        await watchers.both_tell()
        kubelet.script = pods.fails()
        await batch("ill", 4)
        await watchers.both_tell("HIGH_FAILURE_RATE")
        kubelet.script = pods.succeeds
        await batch("well-again", 4)
        await watchers.both_tell()
