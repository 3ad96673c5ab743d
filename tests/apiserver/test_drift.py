"""A pipeline that applies the same again and again, while the operator works on it, changes nothing."""

import asyncio
import os
from typing import Any

from coxswain.api import manifest
from coxswain.kube import paths
from coxswain.kube.client import APPLY_PATCH
from tests.support import builders
from tests.support.builders import Builder
from tests.support.workspace import WAIT_SECONDS, Workspace

Body = dict[str, Any]
PIPELINE = {"fieldManager": "kustomize-controller", "fieldValidation": "Strict"}
SECONDS = float(os.environ.get("COXSWAIN_DRIFT_SECONDS", "3"))
LABELS = {"team": "a"}
PLURALS = {kind.name: kind.plural for kind in manifest.KINDS}


def _all() -> list[Builder]:
    """One of each kind, as they stand in Git."""
    job = builders.job("j", "a").with_command("true")
    return [
        builders.agent("a"),
        builders.lease("deploy"),
        builders.schedule("hourly", "a").every(3600),
        job,
        builders.job("later", "a").with_command("true").with_spec(suspend=True),
    ]


async def _apply(workspace: Workspace, builder: Builder) -> Body:
    """Without force: a field that somebody else has taken is a conflict."""
    body = builder.in_namespace(workspace.namespace).manifest
    body["metadata"] = {**body["metadata"], "labels": LABELS}
    path = paths.of(PLURALS[builder.kind], workspace.namespace, builder.name)
    return await workspace.client.patch(path, body, APPLY_PATCH, PIPELINE)


async def test_what_a_pipeline_applies_again_and_again_does_not_drift(
    operator: object, workspace: Workspace
) -> None:
    first = {each.name: await _apply(workspace, each) for each in _all()}
    assert {each["kind"] for each in first.values()} == set(PLURALS)
    deadline = asyncio.get_running_loop().time() + SECONDS
    while asyncio.get_running_loop().time() < deadline:
        for each in _all():
            before = await workspace.client.get(
                paths.of(PLURALS[each.kind], workspace.namespace, each.name)
            )
            after = await _apply(workspace, each)
            _same(first[each.name], after)
            if before.get("status") == after.get("status"):
                assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
        await asyncio.sleep(0.2)
    for each in _all():
        settled = await _settled(workspace, each)
        _same(first[each.name], settled)
        assert settled["status"]["observedGeneration"] == 1, each.name


async def _settled(workspace: Workspace, builder: Builder) -> Body:
    """The object once the operator, which may only just have begun to lead, has written its status."""
    path = paths.of(PLURALS[builder.kind], workspace.namespace, builder.name)
    async with asyncio.timeout(WAIT_SECONDS):
        while "status" not in (found := await workspace.client.get(path)):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return found


def _same(first: Body, later: Body) -> None:
    """Whatever the operator has done meanwhile, nothing that Git holds is another."""
    assert later["spec"] == first["spec"]
    assert later["metadata"]["generation"] == 1
    assert later["metadata"]["labels"] == LABELS
    assert later["metadata"].get("annotations") == first["metadata"].get("annotations")
    assert later["metadata"].get("finalizers") == first["metadata"].get("finalizers")
