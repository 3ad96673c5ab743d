"""A door's Service is made anew at another address: pods that know only the old one end, and others come."""

from typing import Any

import pytest

from coxswain.kube import paths
from coxswain.kube.client import Client
from tests.support import pods
from tests.support.kubelet import Kubelet
from tests.support.leader import DOORS, HOME, NAME
from tests.support.pods import FakePod
from tests.support.workspace import Ledger, Workspace, outcomes

pytestmark = pytest.mark.usefixtures("operator")


@pytest.fixture(scope="module")
def operator_settings() -> dict[str, Any]:
    """Each sweep looks at the doors first."""
    return {"sweep_seconds": 2}


async def _moves(client: Client, name: str) -> tuple[str, str]:
    """Delete a Service and make it again: its address before, and after."""
    path = paths.of("services", HOME, name)
    found = await client.get(path)
    before = str(found["spec"]["clusterIP"])
    again = {
        "metadata": {"name": name, "labels": found["metadata"]["labels"]},
        "spec": {key: found["spec"][key] for key in ("ports", "selector")},
    }
    while found["spec"]["clusterIP"] == before:
        await client.delete(path, uid=found["metadata"]["uid"])
        found = await client.create(paths.collection("services", HOME), again)
    return before, str(found["spec"]["clusterIP"])


def _known_to(pod: FakePod) -> set[str]:
    return {each["ip"] for each in pod.raw["spec"]["hostAliases"]}


async def test_an_attempt_that_knows_a_doors_old_address_is_lost_and_the_next_knows_the_new(
    workspace: Workspace, ledger: Ledger
) -> None:
    known: list[set[str]] = []

    async def runs_on(pod: FakePod) -> None:
        known.append(_known_to(pod))
        if pod.attempt > 1:
            await pods.succeeds(pod)
            return
        await pod.starts()
        await ledger.claim(pod)
        await pod.stopping.wait()

    await workspace.has_agent()
    async with Kubelet(workspace.client, runs_on, namespace=workspace.namespace) as kubelet:
        await workspace.has_job(retry={"maxAttempts": 1})
        await workspace.job_runs()
        before, after = await _moves(workspace.client, f"{NAME}-{DOORS[1]}")
        ended = await workspace.job_ends()
        assert not kubelet.faults
    assert outcomes(ended) == ["Lost/DoorMoved", "Succeeded/Completed"]
    assert ended.status.attempts_used == 1
    assert [{before, after} & each for each in known] == [{before}, {after}]
