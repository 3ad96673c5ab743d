"""Jobs of a type, through kubectl's door: types defined only here, and those built in."""

import json
from typing import Any

import pytest

from coxswain.api.conditions import ConditionType, find
from coxswain.kube import paths
from coxswain.rules import job_types
from tests.support import builders, pods
from tests.support.kubelet import Kubelet
from tests.support.pods import FakePod
from tests.support.workspace import Ledger, Workspace, outcomes

pytestmark = pytest.mark.usefixtures("operator")
COUNT: dict[str, Any] = {
    "inputSchema": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
    "outputSchema": {"type": "object", "required": ["sum"]},
    "command": ["seq", "{{n}}"],
    "timeoutSeconds": 77,
}


async def has_type(workspace: Workspace, name: str = "count", **fields: Any) -> None:
    metadata = {
        "name": f"coxswain-type-{name}",
        "labels": {"coxswain.dev/job-type": "true"},
    }
    data = job_types.encoded({**COUNT, **fields})
    path = paths.collection("configmaps", workspace.namespace)
    await workspace.client.create(path, {"metadata": metadata, "data": data})


async def change_type(workspace: Workspace, **fields: Any) -> None:
    change = {"data": job_types.encoded(fields)}
    await workspace.patch("configmaps", "coxswain-type-count", change)


async def has_job(
    workspace: Workspace, name: str = "count", given: Any = None, **spec: Any
) -> None:
    made = builders.job("j", "a").of_type(name, {"n": 3} if given is None else given)
    await workspace.apply(made.with_spec(**spec))


def gives(ledger: Ledger, output: object, **more: Any) -> Any:
    async def agent(pod: FakePod) -> None:
        await pod.starts()
        await ledger.claim(pod)
        await ledger.post(pod, status="succeeded", output=json.dumps(output), **more)
        await pod.ends(0)

    return agent


async def test_a_type_that_only_this_test_knows_is_run(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent()
    await has_type(workspace)
    script = gives(ledger, {"sum": 6}, answer="6")
    async with Kubelet(workspace.client, script, namespace=workspace.namespace):
        await has_job(workspace)
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Succeeded/Completed"]
    assert ended.status.result is not None
    assert (ended.status.result.output, ended.status.result.answer) == ('{"sum": 6}', "6")
    run = await ledger.run(ended)
    assert run is not None
    assert (run.document.command, run.document.input) == (["seq", "3"], '{"n": 3}')
    assert run.document.timeout_seconds == 77
    assert run.document.output_schema == COUNT["outputSchema"]


@pytest.mark.parametrize(
    ("name", "given", "why"),
    [
        ("none", {}, "there is no job type 'none' in workspace"),
        ("ai.chat.generate", {"prompt": "x"}, "job type 'ai.chat.generate' is disabled"),
        ("count", {"n": "x"}, 'spec.input/n: "x" is not of type "integer"'),
        ("count", [1], "spec.input: this is not a JSON object"),
        ("bad", {}, "job type 'bad' is itself wrong: data.inputSchema"),
    ],
)
async def test_what_is_refused_is_terminal_and_makes_no_pod(
    workspace: Workspace, name: str, given: Any, why: str
) -> None:
    await workspace.has_agent()
    await has_type(workspace)
    await has_type(workspace, "bad", inputSchema={"type": "strin"})
    await has_job(workspace, name, given)
    ended = await workspace.job_ends()
    assert ended.status.phase == "Failed"
    seen = find(ended.status.conditions, ConditionType.ACCEPTED)
    assert seen is not None
    assert (seen.status, seen.reason) == ("False", "Invalid")
    assert why in seen.message
    assert await workspace.pods() == []


async def test_a_deep_input_ends_its_own_job_and_disturbs_no_other(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent()
    deep = builders.job("deep", "a").of_type("noop")
    text = '{"a": ' + "[" * 20_000 + "]" * 20_000 + "}"
    await workspace.apply(deep.with_spec(input=text))
    script = gives(ledger, {"n": 3})
    async with Kubelet(workspace.client, script, namespace=workspace.namespace):
        await has_job(workspace, "noop")
        assert (await workspace.job_ends()).status.phase == "Succeeded"
    ended = await workspace.job_ends("deep")
    seen = find(ended.status.conditions, ConditionType.ACCEPTED)
    assert seen is not None
    assert seen.message == "spec.input: nested deeper than 32 levels"


async def test_an_edit_of_a_type_does_not_change_an_attempt_that_runs(
    workspace: Workspace, ledger: Ledger
) -> None:
    async def agent(pod: FakePod) -> None:
        await pod.starts()
        await ledger.claim(pod)
        await change_type(workspace, enabled=False, outputSchema={"type": "string"})
        await ledger.post(pod, status="succeeded", output='{"sum": 6}')
        await pod.ends(0)

    await workspace.has_agent()
    await has_type(workspace)
    async with Kubelet(workspace.client, agent, namespace=workspace.namespace):
        await has_job(workspace)
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Succeeded/Completed"]


async def test_a_type_that_was_just_enabled_is_not_refused_from_memory(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent()
    await has_type(workspace, enabled=False)
    await workspace.apply(builders.job("early", "a").of_type("count", {"n": 1}))
    assert (await workspace.job_ends("early")).status.phase == "Failed"
    await change_type(workspace, enabled=True)
    script = gives(ledger, {"sum": 6})
    async with Kubelet(workspace.client, script, namespace=workspace.namespace):
        await has_job(workspace)
        assert (await workspace.job_ends()).status.phase == "Succeeded"


async def test_a_pod_that_ends_well_without_the_output_of_its_type_has_failed(
    workspace: Workspace,
) -> None:
    await workspace.has_agent()
    await has_type(workspace)
    async with Kubelet(workspace.client, pods.succeeds, namespace=workspace.namespace):
        await has_job(workspace, retry={"maxAttempts": 3, "backoffSeconds": 0})
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Failed/OutputInvalid"]


async def test_the_retry_of_a_type_is_the_jobs(workspace: Workspace) -> None:
    await workspace.has_agent()
    await has_type(workspace, retry={"maxAttempts": 2, "backoffSeconds": 0})
    async with Kubelet(workspace.client, pods.fails(3), namespace=workspace.namespace):
        await has_job(workspace)
        ended = await workspace.job_ends()
    assert outcomes(ended) == ["Failed/ExitCode"] * 2
