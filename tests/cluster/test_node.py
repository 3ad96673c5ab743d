"""A node is drained, or falls silent, while a Job runs on it: no attempt is used, none runs twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from coxswain import names
from devtools.kubectl import Kubectl
from devtools.node import processes as parts
from devtools.node import settings
from tests.support import database, processes
from tests.support.onboarded import JOBS, Workspace, condition

# A command that may be run again: its retry says so.
AGAIN = {"maxAttempts": 2, "backoffSeconds": 1}
# The node's own silence is noticed after its grace period; its pods are marked right after it.
NOTICED_SECONDS = 120.0
Body = dict[str, Any]

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("on_the_node")]


@pytest.fixture
def worker(proving: Workspace, kubectl: Kubectl) -> Workspace:
    """A workspace in which the first attempt of the Job `long` waits for ever, and the next ends."""
    proving.clear()
    proving.agent("worker")
    first = "case $COXSWAIN_RUN in */1) exec sleep 600;; esac; echo again"
    proving.command("long", "worker", "sh", "-c", first, retry=AGAIN)
    proving.running("long")
    uid = proving.get(JOBS, "long")["metadata"]["uid"]
    claimed = f"SELECT count(*) FROM runs WHERE job_uid = '{uid}' AND pod_uid IS NOT NULL"  # noqa: S608 - a uid
    proving.until(lambda: "" if database.value(kubectl, claimed) == "1" else "the claim")
    return proving


def _attempts(status: Body) -> list[tuple[str, str]]:
    return [(each["outcome"], each["reason"]) for each in status["attempts"]]


@contextmanager
def _drained(kubectl: Kubectl) -> Iterator[None]:
    """Every agent's pod evicted, and the node closed to new ones."""
    try:
        chosen = f"--pod-selector={names.LABEL_JOB}"
        kubectl.run("drain", settings.NAME, chosen, "--delete-emptydir-data", "--timeout=60s")
        yield
    finally:
        kubectl.run("uncordon", settings.NAME)


def test_a_drain_uses_no_attempt_and_the_next_waits_until_there_is_a_node(
    worker: Workspace, kubectl: Kubectl
) -> None:
    with _drained(kubectl):
        worker.until(lambda: "" if _why_not_started(worker) == "Unschedulable" else "the reason")
        waits = worker.status("long")
        assert (waits["phase"], waits.get("attemptsUsed", 0)) == ("Queued", 0)
    ended = worker.ended("long")
    assert _attempts(ended) == [("Lost", "PodLost"), ("Succeeded", "Completed")]
    assert ended["attemptsUsed"] == 1


def _why_not_started(workspace: Workspace) -> str:
    return str(condition(workspace.status("long"), "PodStarted").get("reason", ""))


@contextmanager
def _silent(kubectl: Kubectl, workspace: Workspace) -> Iterator[None]:
    """Nothing of the node or of its agents moves; all other processes of the platform go on.

    What was heard last is moved back, so that nobody has to wait for the silence to grow long.
    """
    uids = [pod["metadata"]["uid"] for pod in workspace.pods_of("long")]
    agents = processes.of_pods(uids)
    kubelet = parts.running(settings.current().folder, "kubelet")
    assert agents
    assert kubelet is not None
    for each in agents:
        each.freeze()
    ago = "UPDATE runs SET heartbeat_at = now() - interval '10 minutes' WHERE job_name = 'long'"
    database.value(kubectl, ago)
    node = processes.Process(kubelet.pid, "", ("kubelet",))
    node.freeze()
    try:
        yield
    finally:
        node.thaw()


def test_a_silent_node_uses_no_attempt_and_nothing_follows_before_its_pod_is_gone(
    worker: Workspace, kubectl: Kubectl
) -> None:
    with _silent(kubectl, worker):
        worker.until(lambda: "" if _is_given_up(worker) else "the loss", NOTICED_SECONDS)
        worker.until(lambda: "" if _waits_for_the_former(worker) else "the reason")
        assert len(worker.pods_of("long")) == 1
    ended = worker.ended("long", NOTICED_SECONDS)
    assert _attempts(ended) == [("Lost", "WorkerLost"), ("Succeeded", "Completed")]
    assert ended["attemptsUsed"] == 1


def _is_given_up(workspace: Workspace) -> bool:
    attempts = workspace.status("long")["attempts"]
    return bool(attempts[0].get("reason") == "WorkerLost")


def _waits_for_the_former(workspace: Workspace) -> bool:
    found = condition(workspace.status("long"), "SandboxReady")
    return found.get("reason") == "FormerPodEnding"
