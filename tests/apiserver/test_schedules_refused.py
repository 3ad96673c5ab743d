"""Jobs that the API server does not let be made: their ticks are missed, and later ones fire."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from coxswain.api.ticks import Tick
from coxswain.errors import UserError
from coxswain.kube import paths
from tests.apiserver.test_schedules import LOOK_SECONDS, has_schedule, tick_rows, until
from tests.support import builders
from tests.support.leader import Operator
from tests.support.workspace import Ledger, Workspace

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
POLICIES = f"{ADMISSION}/validatingadmissionpolicies"
BINDINGS = f"{ADMISSION}/validatingadmissionpolicybindings"
WORDS = "no Jobs on holidays"


@pytest_asyncio.fixture
async def refused(workspace: Workspace) -> AsyncIterator[Workspace]:
    """A workspace in which a policy refuses every Job."""
    client, name = workspace.client, f"refused-{workspace.namespace}"
    rule = {
        "apiGroups": ["coxswain.dev"],
        "apiVersions": ["*"],
        "operations": ["CREATE"],
        "resources": ["jobs"],
    }
    await client.create(
        POLICIES,
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": [rule]},
                "validations": [{"expression": "false", "message": WORDS}],
            },
        },
    )
    here = {"matchLabels": {"kubernetes.io/metadata.name": workspace.namespace}}
    await client.create(
        BINDINGS,
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {
                "policyName": name,
                "validationActions": ["Deny"],
                "matchResources": {"namespaceSelector": here},
            },
        },
    )
    await _until_refused(workspace, is_refused=True)
    yield workspace
    await _end(workspace)


async def _end(workspace: Workspace) -> None:
    """Take the policy away; the same again is harmless."""
    for path in (BINDINGS, POLICIES):
        found = await workspace.client.get(path)
        for each in found["items"]:
            if each["metadata"]["name"] == f"refused-{workspace.namespace}":
                place = f"{path}/{each['metadata']['name']}"
                await workspace.client.delete(place, uid=each["metadata"]["uid"])


async def _until_refused(workspace: Workspace, *, is_refused: bool) -> None:
    """The API server takes a moment to follow its policies."""
    job = builders.job("probe", "a").with_command("true").in_namespace(workspace.namespace)
    path = paths.collection("jobs", workspace.namespace)
    async with asyncio.timeout(30):
        while await _refuses(workspace, path, job.manifest) != is_refused:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)


async def _refuses(workspace: Workspace, path: str, body: dict[str, Any]) -> bool:
    try:
        await workspace.client.create(path, body, {"dryRun": "All"})
    except UserError as error:
        return WORDS in error.message
    return False


@pytest.mark.parametrize("overlap", ["AllowAll", "Skip"])
async def test_refused_jobs_are_missed_and_the_next_tick_after_it_fires(
    operator: Operator, refused: Workspace, ledger: Ledger, overlap: str
) -> None:
    made = await has_schedule(refused, overlap=overlap)
    found = await until(refused, lambda found: found.status.missed >= 3)
    ready = next(each for each in found.status.conditions if each.type == "Ready")
    assert (ready.status, ready.reason) == ("False", "JobRefused")
    assert WORDS in ready.message
    await _end(refused)
    await _until_refused(refused, is_refused=False)
    await until(refused, lambda found: found.status.running >= 1)
    async with asyncio.timeout(30):
        while not await refused.all("jobs"):  # noqa: ASYNC110 - the operator makes them
            await asyncio.sleep(LOOK_SECONDS)
    await refused.patch("schedules", "s", {"spec": {"suspend": True}})
    await until(refused, lambda found: found.status.phase == "Suspended")
    rows = await tick_rows(ledger, made.metadata.uid)
    assert all(row.outcome for row in rows)
    assert len([row for row in rows if _is_refused(row)]) >= 3
    assert any(row.outcome == "Fired" for row in rows)


def _is_refused(row: Tick) -> bool:
    return (row.outcome, row.reason) == ("Missed", "Refused") and WORDS in row.refused
