"""The checker sees what it is there for, in what it reads back from the real thing."""

from dataclasses import replace

from coxswain import names
from coxswain.kube import paths
from tests.faults import agents, play, workloads
from tests.faults.bed import Bed
from tests.faults.plan import Plan
from tests.faults.workload import Scene

QUIET_SECONDS = 1.0


async def _doubled(scene: Scene) -> None:
    """While an agent works, somebody makes a second pod for its attempt."""
    await scene.workspace.has_agent()
    await scene.workspace.has_job()
    await scene.agents.until_begun(1)
    await scene.workspace.job_runs()
    (pod,) = await scene.workspace.pods()
    await scene.workspace.has_pod("second")
    change = {
        "labels": {names.LABEL_ATTEMPT: "1"},
        "ownerReferences": pod["metadata"]["ownerReferences"],
    }
    path = paths.of("pods", scene.workspace.namespace, "second")
    await scene.workspace.client.patch(path, {"metadata": change})
    second = await scene.workspace.client.get(path)
    await scene.workspace.client.delete(path, uid=second["metadata"]["uid"], grace_seconds=0)
    await scene.workspace.patch("jobs", "j", {"spec": {"cancel": True}})
    await scene.workspace.job_ends()


def test_a_second_pod_of_an_attempt_is_seen_although_it_is_gone_at_the_end(bed: Bed) -> None:
    workload = replace(workloads.named("cancel_running"), play=_doubled, script=agents.hangs)
    plan = Plan(name="doubled", workload="cancel_running", quiet_seconds=QUIET_SECONDS)
    verdict = play.play(bed, plan, workload)
    (breach, *_) = verdict.broken["one live pod per attempt"]
    assert "second" in breach.what
    assert breach.revision > 0
    assert "2 pods were made, not 1" in verdict.story()


def test_a_fault_that_never_comes_is_told_and_is_no_success(bed: Bed) -> None:
    found = Plan.model_validate(
        {
            "name": "never",
            "workload": "at_once",
            "quiet_seconds": QUIET_SECONDS,
            "faults": [{"request": {"verb": "delete", "resource": "agents"}, "do": "kill"}],
        }
    )
    verdict = play.play(bed, found)
    assert not verdict.broken
    assert not verdict.is_good
    assert verdict.line().startswith("idle")
