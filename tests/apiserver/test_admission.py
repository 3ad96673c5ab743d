"""Whatever an Agent and a Job say, the real admission of a restricted namespace lets the pod in."""

import asyncio
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coxswain.api.kind import Agent, Job
from coxswain.errors import CoxswainError, ForbiddenError
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.sandbox import pod, probe, volumes
from coxswain.sandbox.probe import Wall
from tests.support import builders, strategies

Body = dict[str, Any]
EXAMPLES = 1000
AT_ONCE = 32
DRY_RUN = {"dryRun": "All", "fieldValidation": "Strict"}


def random_pods(namespace: str) -> list[Body]:
    """Pods of random Agents and Jobs."""
    found: list[Body] = []

    @settings(
        max_examples=EXAMPLES, database=None, deadline=None, suppress_health_check=[*HealthCheck]
    )
    @given(strategies.agents(), strategies.jobs(), st.integers(1, 999_999))
    def collect(agent: Agent, job: Job, attempt: int) -> None:
        manifest = pod.build(builders.pod_request(agent, job, attempt), builders.platform())
        manifest["metadata"]["namespace"] = namespace
        found.append(manifest)

    collect()
    return found


async def refusals(client: Client, namespace: str, pods: list[Body]) -> list[tuple[str, Body]]:
    """What the API server refuses, with its words."""
    free = asyncio.Semaphore(AT_ONCE)

    async def ask(manifest: Body) -> tuple[str, Body] | None:
        async with free:
            try:
                await client.create(paths.collection("pods", namespace), manifest, DRY_RUN)
            except CoxswainError as error:
                return error.message, manifest
            return None

    answers = await asyncio.gather(*(ask(manifest) for manifest in pods))
    return [answer for answer in answers if answer is not None]


async def test_a_restricted_namespace_admits_the_pods_of_a_thousand_random_specs(
    client: Client, namespace: str
) -> None:
    for name in strategies.RUNTIME_CLASSES:
        body = {"metadata": {"name": name}, "handler": name}
        await client.create("/apis/node.k8s.io/v1/runtimeclasses", body)

    pods = await asyncio.to_thread(random_pods, namespace)
    refused = await refusals(client, namespace, pods)

    assert len(pods) >= EXAMPLES
    assert not refused, f"{len(refused)} refused, the first: {refused[0]}"


WEAKENINGS: dict[str, Any] = {
    "root": lambda spec: spec["securityContext"].update(runAsUser=0, runAsNonRoot=False),
    "unconfined": lambda spec: spec["securityContext"].update(
        seccompProfile={"type": "Unconfined"}
    ),
    "escalation": lambda spec: spec["containers"][0]["securityContext"].update(
        allowPrivilegeEscalation=True
    ),
    "capabilities": lambda spec: spec["containers"][0]["securityContext"].pop("capabilities"),
    "the door's capabilities": lambda spec: spec["initContainers"][0]["securityContext"].pop(
        "capabilities"
    ),
    "host network": lambda spec: spec.update(hostNetwork=True),
    "host path": lambda spec: spec["volumes"].append({"name": "h", "hostPath": {"path": "/"}}),
}


@pytest.mark.parametrize("weakening", WEAKENINGS)
async def test_the_same_pod_is_refused_when_it_is_weakened(
    client: Client, namespace: str, weakening: str
) -> None:
    agent = builders.agent().with_image()
    request = builders.pod_request(agent.parsed, builders.job().parsed)
    manifest = pod.build(request, builders.platform())
    manifest["metadata"]["namespace"] = namespace
    weakened = deepcopy(manifest)
    WEAKENINGS[weakening](weakened["spec"])

    assert await refusals(client, namespace, [manifest]) == []
    with pytest.raises(ForbiddenError, match="violates PodSecurity"):
        await client.create(paths.collection("pods", namespace), weakened, DRY_RUN)


@pytest.mark.parametrize("weakening", ["root", "unconfined", "escalation", "capabilities"])
async def test_the_pod_that_probes_the_network_is_admitted_as_an_agents_is(
    client: Client, namespace: str, weakening: str
) -> None:
    walls = (Wall("10.96.0.1", 443), Wall("fd00::1", 443))
    manifest = probe.build(namespace, "0.1.0 agent:1", walls, builders.platform())
    weakened = deepcopy(manifest)
    WEAKENINGS[weakening](weakened["spec"])

    assert await refusals(client, namespace, [manifest]) == []
    with pytest.raises(ForbiddenError, match="violates PodSecurity"):
        await client.create(paths.collection("pods", namespace), weakened, DRY_RUN)


async def test_the_claim_of_a_persistent_workspace_is_accepted(
    client: Client, namespace: str
) -> None:
    agent = builders.agent().in_namespace(namespace).with_home("2Gi").parsed
    path = paths.collection("persistentvolumeclaims", namespace)
    made = await client.create(path, volumes.claim(agent), DRY_RUN)
    assert made["spec"]["accessModes"] == ["ReadWriteOncePod"]
