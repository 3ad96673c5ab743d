"""All samples at once under an operator: applied again, they are no change, no pod and no event."""

import asyncio
from typing import Any

from coxswain.api import manifest
from coxswain.store import events
from coxswain.store.events import Filter
from tests.support import apiserver, examples
from tests.support.kubelet import Kubelet
from tests.support.leader import Operator
from tests.support.postgres import Database, opened
from tests.support.workspace import Ledger, Workspace

Body = dict[str, Any]
PLURALS = [kind.plural for kind in manifest.KINDS]
JUDGED = ("reader", "smallest")
"""Agents of samples that a model gateway would find usable, so that their Jobs run."""
SETTLED_SECONDS = 60.0
STILL_SECONDS = 2.0


async def _apply_all(workspace: Workspace) -> list[Body]:
    return [
        await apiserver.apply(workspace.client, workspace.namespace, sample)
        for sample in examples.of_ours()
    ]


async def _seen(workspace: Workspace, ledger: Ledger) -> tuple[list[Body], set[str], list[int]]:
    """Every object of ours, the pods' uids, and the positions of the workspace's events."""
    objects = [each for plural in PLURALS for each in await workspace.all(plural)]
    pods = {str(each["metadata"]["uid"]) for each in await workspace.pods()}
    page = await ledger.store.run(events.after, 0, Filter(workspace=workspace.namespace))
    return objects, pods, [each.position for each in page.events]


def _is_observed(raw: Body) -> bool:
    observed = raw.get("status", {}).get("observedGeneration")
    return bool(observed == raw["metadata"]["generation"])


async def _settled(workspace: Workspace, ledger: Ledger) -> tuple[list[Body], set[str], list[int]]:
    """The same once the operator has looked at each object and nothing changes any more."""
    found = await _seen(workspace, ledger)
    async with asyncio.timeout(SETTLED_SECONDS):
        while True:
            await asyncio.sleep(STILL_SECONDS)
            before, found = found, await _seen(workspace, ledger)
            if found == before and all(map(_is_observed, found[0])):
                return found


async def test_all_samples_applied_three_times_are_no_change_no_pod_and_no_event(
    workspace: Workspace, operator: Operator, ledger: Ledger, module_database: Database
) -> None:
    async with (
        Kubelet(workspace.client, namespace=workspace.namespace),
        opened(module_database.gateway) as gateway,
    ):
        await _apply_all(workspace)
        for name in JUDGED:
            await Ledger(gateway).judge(await workspace.agent(name))
            await workspace.agent_is(name, "Ready")
        await workspace.job_ends("first-answer")
        await workspace.job_ends("reference-command")
        settled = await _settled(workspace, ledger)
        versions = {each["metadata"]["uid"]: each["metadata"] for each in settled[0]}
        for _ in range(3):
            applied = [each["metadata"] for each in await _apply_all(workspace)]
            assert applied == [versions[each["uid"]] for each in applied]
            assert {each["generation"] for each in applied} == {1}
            assert await _settled(workspace, ledger) == settled
    assert len(settled[1]) >= len(JUDGED)
    assert settled[2]
