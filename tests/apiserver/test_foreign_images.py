"""Jobs in images that know nothing of us, beside our door: Agents' own, and those of job types."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from coxswain.api.conditions import ConditionType, find
from coxswain.kube import paths
from coxswain.rules import job_types
from devtools import patience
from tests.support import builders
from tests.support.kubelet import Kubelet
from tests.support.leader import Installation, Operator
from tests.support.pods import FakePod, Script
from tests.support.postgres import Database
from tests.support.workspace import Ledger, Workspace, outcomes, reason

pytestmark = pytest.mark.usefixtures("operator")
TOOL = "ghcr.io/team/tool:1"
COUNT: dict[str, Any] = {
    "inputSchema": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
    "outputSchema": {"type": "object", "required": ["sum"]},
    "image": "ghcr.io/team/count:2",
}


@pytest.fixture(scope="module")
def operator(
    installation: Installation,
    module_database: Database,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Operator]:
    """An operator whose installation lists one team's images."""
    folder = tmp_path_factory.mktemp("operator")
    listed = json.dumps(["ghcr.io/team/"])
    with installation.operator(module_database, folder, allowed_images=listed) as started:
        patience.until(lambda: "" if "event=leading" in started.text else "an operator to lead", 30)
        yield started
        assert started.terminate() == 0


async def has_type(workspace: Workspace, **fields: Any) -> None:
    labels = {"coxswain.dev/job-type": "true"}
    metadata = {"name": "coxswain-type-count", "labels": labels}
    data = job_types.encoded({**COUNT, **fields})
    path = paths.collection("configmaps", workspace.namespace)
    await workspace.client.create(path, {"metadata": metadata, "data": data})


def claims_then(
    ledger: Ledger, *, code: int = 0, why: str | None = None, told: Any = None
) -> Script:
    """The door claims, the program runs and ends; the door tells what it left as its output."""

    async def script(pod: FakePod) -> None:
        await pod.door_runs()
        await ledger.claim(pod)
        await pod.starts()
        if told is not None:
            output = json.dumps(told)
            await ledger.post(pod, status="failed", reason="Terminated", output=output)
        await pod.ends(code, why)

    return script


async def test_a_command_runs_in_the_agents_image_beside_our_door(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent(runtime={"image": TOOL})
    script = claims_then(ledger)
    async with Kubelet(workspace.client, script, namespace=workspace.namespace):
        await workspace.has_job()
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Succeeded/Completed"]
    (pod,) = await workspace.pods()
    (program,), (door,) = pod["spec"]["containers"], pod["spec"]["initContainers"]
    assert (program["image"], program["command"]) == (TOOL, ["true"])
    # As the API server has filled it in.
    assert (program["imagePullPolicy"], door["restartPolicy"]) == ("IfNotPresent", "Always")
    run = await ledger.run(ended)
    assert run is not None
    assert run.document.image == TOOL


async def test_a_new_type_is_an_image_and_an_entry_and_no_change_of_the_core(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent()
    await has_type(workspace)
    script = claims_then(ledger, told={"sum": 6})
    async with Kubelet(workspace.client, script, namespace=workspace.namespace):
        await workspace.apply(builders.job("j", "a").of_type("count", {"n": 3}))
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Succeeded/Completed"]
    assert ended.status.result is not None
    assert ended.status.result.output == '{"sum": 6}'
    (pod,) = await workspace.pods()
    (program,) = pod["spec"]["containers"]
    assert program["image"] == COUNT["image"]
    assert "command" not in program


async def test_an_exit_code_0_without_the_output_of_the_type_is_a_failure(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent()
    await has_type(workspace)
    script = claims_then(ledger, told={"product": 6})
    async with Kubelet(workspace.client, script, namespace=workspace.namespace):
        await workspace.apply(builders.job("j", "a").of_type("count", {"n": 3}))
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Failed/OutputInvalid"]


async def test_a_built_in_type_runs_in_our_image_whatever_the_agents(
    workspace: Workspace, ledger: Ledger
) -> None:
    async def script(pod: FakePod) -> None:
        await pod.starts()
        await ledger.claim(pod)
        await ledger.post(pod, status="succeeded", output="{}")
        await pod.ends(0)

    await workspace.has_agent(runtime={"image": TOOL})
    async with Kubelet(workspace.client, script, namespace=workspace.namespace):
        await workspace.apply(builders.job("j", "a").of_type("noop", {}))
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Succeeded/Completed"]
    (pod,) = await workspace.pods()
    assert "initContainers" not in pod["spec"]


async def test_an_agent_with_an_image_that_is_not_listed_is_not_ready_and_says_why(
    workspace: Workspace,
) -> None:
    await workspace.apply(builders.agent("a").with_image("evil.example/tool:1"))
    agent = await workspace.agent_is("a", "Pending")
    seen = find(agent.status.conditions, ConditionType.SANDBOX_READY)
    assert seen is not None
    assert (seen.status, seen.reason) == ("False", "ImageNotAllowed")
    assert "does not allow image evil.example/tool:1" in seen.message


async def test_a_type_with_an_image_that_is_not_listed_waits_and_makes_no_pod(
    workspace: Workspace,
) -> None:
    await workspace.has_agent()
    await has_type(workspace, image="ghcr.io/team-b/count:2")
    await workspace.apply(builders.job("j", "a").of_type("count", {"n": 3}))
    waits = await workspace.job_waits(ConditionType.SANDBOX_READY)
    assert reason(waits, ConditionType.SANDBOX_READY) == "ImageNotAllowed"
    assert await workspace.pods() == []


async def test_a_door_that_is_refused_ends_the_attempt_before_any_program(
    workspace: Workspace, ledger: Ledger
) -> None:
    async def script(pod: FakePod) -> None:
        if pod.attempt > 1:
            await claims_then(ledger)(pod)
            return
        await pod.door_fails(77, "the run is not ours")
        await pod.stopping.wait()

    await workspace.has_agent(runtime={"image": TOOL})
    async with Kubelet(workspace.client, script, namespace=workspace.namespace):
        await workspace.has_job(retry={"maxAttempts": 2, "backoffSeconds": 0})
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Failed/ExitCode", "Succeeded/Completed"]
    assert ended.status.attempts[0].exit_code == 77


async def test_a_door_that_cannot_claim_yet_ends_nothing(
    workspace: Workspace, ledger: Ledger
) -> None:
    async def script(pod: FakePod) -> None:
        await pod.door_fails(75, "nobody answers")
        await claims_then(ledger)(pod)

    await workspace.has_agent(runtime={"image": TOOL})
    async with Kubelet(workspace.client, script, namespace=workspace.namespace):
        await workspace.has_job()
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Succeeded/Completed"]


async def test_a_door_that_was_killed_claims_again_and_the_program_goes_on(
    workspace: Workspace, ledger: Ledger
) -> None:
    async def script(pod: FakePod) -> None:
        await pod.door_runs()
        first = await ledger.claim(pod)
        await pod.starts()
        await workspace.job_runs()
        again = await ledger.claim(pod)
        assert (again.token, again.pod_uid) == (first.token, first.pod_uid)
        await pod.ends(0)

    await workspace.has_agent(runtime={"image": TOOL})
    async with Kubelet(workspace.client, script, namespace=workspace.namespace) as kubelet:
        await workspace.has_job()
        ended = await workspace.job_ends()
    assert kubelet.faults == []
    assert outcomes(ended) == ["Succeeded/Completed"]


async def test_a_program_that_was_killed_for_its_memory_is_out_of_memory(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent(runtime={"image": TOOL})
    script = claims_then(ledger, code=137, why="OOMKilled")
    async with Kubelet(workspace.client, script, namespace=workspace.namespace):
        await workspace.has_job()
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Failed/OutOfMemory"]
