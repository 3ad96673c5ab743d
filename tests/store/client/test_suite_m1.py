"""The named suite m1 over the real API; what operator and agents do about its Jobs is put into the records."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from coxswain.client import Client
from coxswain.store import mirror
from devtools.suites.m1 import Check, Suite
from tests.support import rows
from tests.support.calls import QUICK
from tests.support.sidecar_api import LOCAL_TOKEN, Api, object_row

JOBS = "/apis/coxswain.dev/v1alpha1/namespaces/team/jobs/"
PROMISES = ["J-01", "J-02", "J-03", "J-05", "J-06", "J-07", "J-08", "J-14", "J-18"]
Body = dict[str, Any]


async def run_job(api: Api, made: Body, said: str) -> None:
    """A Job's whole life, in one transaction."""
    spec, name, uid = made["spec"], made["metadata"]["name"], made["metadata"]["uid"]
    fails = spec["command"] == ["false"]
    phase, count = ("Failed", spec["retry"]["maxAttempts"]) if fails else ("Succeeded", 1)
    about = {"uid": uid, "workspace": "team", "kind": "Job", "name": name}
    told = [rows.event(f"job.{edge}", **about) for edge in ("queued", "running")]
    output = {"stream": "stdout", "text": said}
    told.append(rows.event("run.output", **about, attempt=1, details=output))
    told.append(rows.event(f"job.{phase.lower()}", **about))
    if "callback" in spec:
        why = {"reason": "DomainNotAllowed"}
        told.append(rows.event("callback.skipped", **about, details=why))
    row = object_row(name, uid=uid, phase=phase)
    status = {
        "phase": phase,
        "transitions": [{"phase": each} for each in ("Queued", "Running", phase)],
        "attempts": [{"outcome": phase}] * count,
    }
    row = replace(row, body={**row.body, "spec": spec, "status": status})
    await api.operator.transact(mirror.write, [row], told)


@asynccontextmanager
async def worked(api: Api, said: str) -> AsyncIterator[None]:
    """Every Job that is made meanwhile runs."""

    async def work() -> None:
        done: set[str] = set()
        while True:
            new = {path for path in api.cluster.objects if path.startswith(JOBS)} - done
            for path in new:
                await run_job(api, api.cluster.objects[path], said)
            done |= new
            await asyncio.sleep(0.02)

    task = asyncio.create_task(work())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def checks(api: Api, said: str) -> list[Check]:
    def run() -> list[Check]:
        with Client(api.url, LOCAL_TOKEN, policy=QUICK) as client:
            return Suite(client, "team", "m1").run()

    async with worked(api, said):
        return await asyncio.to_thread(run)


async def test_it_finds_every_promise_kept(api: Api) -> None:
    found = await checks(api, "said\n")
    assert [each.wire() for each in found if not each.holds] == []
    assert sorted(each.id for each in found) == PROMISES


async def test_it_finds_the_one_that_is_not(api: Api) -> None:
    found = await checks(api, "another word\n")
    assert [(each.id, each.seen) for each in found if not each.holds] == [
        ("J-01", "another word\n")
    ]
