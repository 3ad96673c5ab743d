"""A program that makes a Job whenever one ends, stopped by the depth and by the number."""

from pathlib import Path

import pytest

from coxswain import names
from coxswain.api import lineage
from coxswain.api.kind import Job
from coxswain.api.lineage import Lineage
from coxswain.kube import paths
from tests.support import builders
from tests.support.kubelet import Kubelet
from tests.support.leader import Installation
from tests.support.postgres import Database
from tests.support.workspace import Workspace


async def _made(workspace: Workspace, name: str, descent: Lineage) -> Job:
    """As the API makes it."""
    body = builders.job(name, "a").with_command("true").in_namespace(workspace.namespace).manifest
    body["metadata"]["annotations"] = {names.ANNOTATION_LINEAGE: descent.model_dump_json()}
    made = await workspace.client.create(paths.collection("jobs", workspace.namespace), body)
    return Job.parse(made)


@pytest.mark.parametrize("relation", ["Rerun", "Child"])
async def test_a_chain_without_an_end_ends_at_the_depth(
    workspace: Workspace,
    installation: Installation,
    module_database: Database,
    tmp_path: Path,
    relation: str,
) -> None:
    with installation.operator(module_database, tmp_path, max_lineage_depth=3):
        await workspace.has_agent()
        async with Kubelet(workspace.client, namespace=workspace.namespace) as kubelet:
            job, descent = await workspace.has_job("n0"), None
            while (await workspace.job_ends(job.metadata.name)).status.phase == "Succeeded":
                uid, name = job.metadata.uid, job.metadata.name
                descent = lineage.after(relation, name, uid, of=descent, by="user:loop")  # type: ignore[arg-type]  # one of two
                assert descent.depth < 10
                job = await _made(workspace, f"n{descent.depth}", descent)
            stopped = await workspace.job("n4")
            assert len(kubelet.runs) == 4
        assert stopped.status.transitions[-1].reason == "LineageTooDeep"
        assert stopped.status.attempts == []


async def test_of_too_many_jobs_from_one_the_youngest_do_not_start(
    workspace: Workspace,
    installation: Installation,
    module_database: Database,
    tmp_path: Path,
) -> None:
    with installation.operator(module_database, tmp_path, max_jobs_from_one=3):
        await workspace.has_agent()
        async with Kubelet(workspace.client, namespace=workspace.namespace) as kubelet:
            first = await workspace.has_job("first")
            descent = lineage.after("Child", "first", first.metadata.uid, of=None, by="user:loop")
            for number in range(5):
                await _made(workspace, f"n{number}", descent)
            ended = [await workspace.job_ends(f"n{number}") for number in range(5)]
            reasons = [job.status.transitions[-1].reason for job in ended]
            assert reasons.count("Completed") == 3
            assert reasons.count("LineageTooWide") == 2
            assert len(kubelet.runs) == 4
