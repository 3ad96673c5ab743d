"""The fake kubelet does what the tests of the loop rely on."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from coxswain import names
from coxswain.errors import NotFoundError
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.sandbox import pod as sandbox
from tests.support import builders, pods
from tests.support.apiserver import eventually
from tests.support.kubelet import Kubelet
from tests.support.pods import FakePod

Body = dict[str, Any]


async def made(client: Client, namespace: str, attempt: int = 1) -> Body:
    """A pod of ours; its Job is not there, and nothing collects it."""
    job = builders.job().in_namespace(namespace)
    request = builders.pod_request(builders.agent().parsed, job.parsed, attempt)
    manifest = sandbox.build(request, builders.platform())
    return await client.create(paths.collection("pods", namespace), manifest)


async def phase(client: Client, raw: Body) -> str:
    path = paths.of("pods", raw["metadata"]["namespace"], raw["metadata"]["name"])
    try:
        return str((await client.get(path))["status"]["phase"])
    except NotFoundError:
        return "gone"


async def reaches(client: Client, raw: Body, wanted: str) -> None:
    async def holds() -> bool:
        return await phase(client, raw) == wanted

    await eventually(holds)


async def delete(client: Client, raw: Body) -> None:
    metadata = raw["metadata"]
    path = paths.of("pods", metadata["namespace"], metadata["name"])
    await client.delete(path, uid=metadata["uid"])


async def test_a_pod_runs_its_script_once(client: Client, namespace: str) -> None:
    async with Kubelet(client, namespace=namespace) as kubelet:
        raw = await made(client, namespace)
        await reaches(client, raw, "Succeeded")
    assert kubelet.runs == {raw["metadata"]["name"]: 1}
    assert kubelet.faults == []


async def test_each_attempt_ends_as_the_script_says(client: Client, namespace: str) -> None:
    async with Kubelet(client, pods.fails_until(2), namespace=namespace):
        first, second = [await made(client, namespace, attempt) for attempt in (1, 2)]
        await reaches(client, first, "Failed")
        await reaches(client, second, "Succeeded")


async def test_a_pod_acts_as_an_agent_with_its_own_token(client: Client, namespace: str) -> None:
    seen: list[tuple[str, str]] = []

    async def agent(pod: FakePod) -> int:
        seen.append((pod.environment["COXSWAIN_RUN"], await pod.token(names.audience("test"))))
        return 7

    async with Kubelet(client, pods.runs(agent), namespace=namespace):
        raw = await made(client, namespace)
        await reaches(client, raw, "Failed")
    ((run, token),) = seen
    assert run == f"{builders.uid_of('Job', 'read')}/1"
    assert token.count(".") == 2


async def test_a_deleted_pod_is_told_to_end_and_then_goes(client: Client, namespace: str) -> None:
    told = asyncio.Event()

    async def script(pod: FakePod) -> None:
        await pod.starts()
        await pod.stopping.wait()
        told.set()

    async with Kubelet(client, script, namespace=namespace):
        raw = await made(client, namespace)
        await reaches(client, raw, "Running")
        await delete(client, raw)
        await reaches(client, raw, "gone")
    assert told.is_set()


async def test_a_dead_node_confirms_nothing_until_it_is_back(
    client: Client, namespace: str
) -> None:
    async with Kubelet(client, pods.hangs, namespace=namespace) as kubelet:
        raw = await made(client, namespace)
        await reaches(client, raw, "Running")
        kubelet.die()
        await delete(client, raw)
        assert await phase(client, raw) == "Running"
        await kubelet.revive()
        await reaches(client, raw, "gone")


def state(status: Body, kind: str) -> Body:
    containers = status.get("containerStatuses") or [{"state": {}}]
    return dict(containers[0]["state"].get(kind, {}))


def condition(status: Body, kind: str) -> Body:
    return next((dict(each) for each in status.get("conditions", []) if each["type"] == kind), {})


@pytest.mark.parametrize(
    ("script", "shows"),
    [
        (lambda pod: pod.is_evicted(), lambda status: status.get("reason") == "Evicted"),
        (
            lambda pod: pod.ends(137, "OOMKilled"),
            lambda status: state(status, "terminated").get("reason") == "OOMKilled",
        ),
        (
            lambda pod: pod.is_disrupted(),
            lambda status: condition(status, "DisruptionTarget").get("status") == "True",
        ),
        (
            lambda pod: pod.waits("ImagePullBackOff"),
            lambda status: state(status, "waiting").get("reason") == "ImagePullBackOff",
        ),
        (
            lambda pod: pod.is_unschedulable("no node fits"),
            lambda status: condition(status, "PodScheduled").get("reason") == "Unschedulable",
        ),
    ],
)
async def test_every_sad_end_can_be_played(
    client: Client, namespace: str, script: pods.Script, shows: Callable[[Body], bool]
) -> None:
    async with Kubelet(client, script, namespace=namespace) as kubelet:
        raw = await made(client, namespace)
        path = paths.of("pods", namespace, raw["metadata"]["name"])

        async def holds() -> bool:
            return shows((await client.get(path))["status"])

        await eventually(holds)
    assert kubelet.faults == []
