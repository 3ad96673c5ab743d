"""Idempotency keys on applied Jobs: one of them works, whichever door it came through."""

import pytest

from coxswain.api.conditions import ConditionType, find
from coxswain.api.job import JobSpec
from coxswain.api.kind import Job
from coxswain.errors import UserError
from coxswain.rules import idempotency as rules
from coxswain.store import idempotency
from coxswain.store.idempotency import KeyHolder
from tests.support import builders, pods
from tests.support.kubelet import Kubelet
from tests.support.workspace import Ledger, Workspace, phases

pytestmark = pytest.mark.usefixtures("operator")


async def has(workspace: Workspace, name: str, **spec: object) -> None:
    made = builders.job(name, "a").with_command("true").with_spec(idempotencyKey="k", **spec)
    await workspace.apply(made)


def said(job: Job) -> tuple[str, str]:
    seen = find(job.status.conditions, ConditionType.ACCEPTED)
    assert seen is not None
    return seen.reason, seen.message


async def test_of_two_with_one_key_and_spec_one_runs_and_the_other_names_it(
    workspace: Workspace,
) -> None:
    await workspace.has_agent()
    async with Kubelet(workspace.client, pods.succeeds, namespace=workspace.namespace) as kubelet:
        await has(workspace, "one")
        first = await workspace.job_ends("one")
        await has(workspace, "two")
        second = await workspace.job_ends("two")
    assert first.status.phase == "Succeeded"
    assert phases(second) == ["Queued", "Cancelled"]
    reason, message = said(second)
    assert reason == "Duplicate"
    assert "stands for Job 'one'" in message
    assert len(kubelet.runs) == 1


async def test_twenty_at_once_with_one_key_run_once(workspace: Workspace) -> None:
    await workspace.has_agent()
    async with Kubelet(workspace.client, pods.succeeds, namespace=workspace.namespace) as kubelet:
        for number in range(20):
            await has(workspace, f"j{number}")
        ended = [await workspace.job_ends(f"j{number}") for number in range(20)]
    found = sorted(job.status.phase or "" for job in ended)
    assert found == ["Cancelled"] * 19 + ["Succeeded"]
    assert len(kubelet.runs) == 1


async def test_another_payload_under_the_key_fails_with_the_words_of_the_api(
    workspace: Workspace,
) -> None:
    await workspace.has_agent()
    async with Kubelet(workspace.client, pods.succeeds, namespace=workspace.namespace):
        await has(workspace, "one")
        await workspace.job_ends("one")
        await has(workspace, "two", title="Another")
        second = await workspace.job_ends("two")
    assert phases(second) == ["Queued", "Failed"]
    holder = KeyHolder(workspace.namespace, "k", "", "one")
    assert said(second) == ("IdempotencyKeyReused", rules.reused(holder).message)


async def test_a_key_that_the_api_has_given_out_stands_against_an_applied_job(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent()
    spec = builders.job("two", "a").with_command("true").with_spec(idempotencyKey="k").spec
    hashed = rules.payload_hash(workspace.namespace, JobSpec.model_validate(spec))
    row = KeyHolder(workspace.namespace, "k", hashed, "made-by-the-api")
    await ledger.store.transact(idempotency.take, row, 600)
    await has(workspace, "two")
    second = await workspace.job_ends("two")
    assert said(second)[0] == "Duplicate"


async def test_a_job_that_the_api_made_takes_its_key_before_it_runs(
    workspace: Workspace, ledger: Ledger
) -> None:
    await workspace.has_agent()
    row = KeyHolder(workspace.namespace, "k", "hash", "one")
    await ledger.store.transact(idempotency.take, row, 600)
    async with Kubelet(workspace.client, pods.succeeds, namespace=workspace.namespace):
        await has(workspace, "one")
        ended = await workspace.job_ends("one")
    found = await ledger.store.run(idempotency.of, workspace.namespace, "k")
    assert found is not None
    assert found.job_uid == ended.metadata.uid
    assert ended.status.phase == "Succeeded"


async def test_a_key_cannot_be_taken_out_of_a_job(workspace: Workspace) -> None:
    await has(workspace, "one")
    with pytest.raises(UserError, match="idempotencyKey is fixed"):
        await workspace.patch("jobs", "one", {"spec": {"idempotencyKey": None}})
