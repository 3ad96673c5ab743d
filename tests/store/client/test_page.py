"""docs/sdk.md at work: its Python is run as it stands there."""

import asyncio
from typing import Any

import pytest

from coxswain.store import mirror
from tests.support import rows, snippets
from tests.support.leases import Leases
from tests.support.sidecar_api import LOCAL_TOKEN, Api, object_row
from tests.support.waiting import until

JOBS = "/apis/coxswain.dev/v1alpha1/namespaces/team/jobs/"


def made(api: Api) -> list[dict[str, Any]]:
    return [each["metadata"] for path, each in api.cluster.objects.items() if path.startswith(JOBS)]


async def work(api: Api) -> None:
    """What operator and agent do about the page's Job."""
    await until(lambda: bool(made(api)))
    (metadata,) = made(api)
    name, uid = metadata["name"], metadata["uid"]
    _, _, headers = await api.claimed(job_uid=uid, job_name=name)
    said = {"status": "succeeded", "answer": "the keeper"}
    async with api.anybody.post("/v1/run/result", json=said, headers=headers) as answer:
        assert answer.status == 204
    about = {"uid": uid, "workspace": "team", "kind": "Job", "name": name}
    told = [rows.event(f"job.{edge}", **about) for edge in ("queued", "running", "succeeded")]
    ended = object_row(name, uid=uid, phase="Succeeded")
    await api.operator.transact(mirror.write, [ended], told)


async def test_the_page_of_the_client_does_what_it_says(
    api: Api,
    leases: Leases,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await leases.has()
    monkeypatch.setenv("COXSWAIN_URL", api.url)
    monkeypatch.setenv("COXSWAIN_TOKEN", LOCAL_TOKEN)
    working = asyncio.create_task(work(api))
    await asyncio.to_thread(snippets.of, "sdk.md")
    await working
    said = capsys.readouterr().out
    for wanted in ("job.succeeded", "the keeper", "user.note user:local", "token 1", "not_found"):
        assert wanted in said
