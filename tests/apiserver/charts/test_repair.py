"""A helm that is killed in the middle leaves a release that the next run repairs."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import pytest

from devtools import patience, programs, release
from devtools.controlplane import ControlPlane
from devtools.kubectl import Kubectl

SECONDS = 30.0
# The first of them: the others wait for its end.
HOOK = f"{release.NAME}-certificates-hook"
PLACE = ("--namespace", release.NAMESPACE)


@pytest.fixture
def kubectl(tmp_path: Path) -> Iterator[Kubectl]:
    with ControlPlane(tmp_path / "plane") as plane:
        client = Kubectl(plane.kubeconfig)
        for name in (release.NAMESPACE, "demo"):
            client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        yield client


@contextmanager
def _hooks_succeeding(kubectl: Kubectl) -> Iterator[None]:
    """No kubelet runs here, so the hook's batch job ends because we say so."""
    ended = Event()
    thread = Thread(target=_end_hooks, args=(kubectl, ended))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _end_hooks(kubectl: Kubectl, ended: Event) -> None:
    done: set[str] = set()
    while not ended.wait(0.2):
        for job in kubectl.json(*PLACE, "get", "jobs.batch")["items"]:
            if job["metadata"]["uid"] in done:
                continue
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            conditions = [
                {"type": kind, "status": "True", "lastTransitionTime": now, "lastProbeTime": now}
                for kind in ("SuccessCriteriaMet", "Complete")
            ]
            status = {"startTime": now, "completionTime": now, "succeeded": 1}
            patch = json.dumps({"status": {**status, "conditions": conditions}})
            words = ["patch", "jobs.batch", job["metadata"]["name"], "--subresource=status"]
            kubectl.run(*PLACE, *words, "--type=merge", "--patch", patch)
            done.add(job["metadata"]["uid"])


def _kill_helm_in_the_hook(kubectl: Kubectl, values: Path) -> None:
    chart = str(release.CHARTS / release.NAME)
    words = ["upgrade", "--install", release.NAME, chart, "--values", str(values)]
    place = ["--kubeconfig", str(kubectl.kubeconfig), *PLACE]
    helm = subprocess.Popen([str(programs.tool("helm")), *place, *words])
    try:
        patience.until(
            lambda: "" if kubectl.answers(*PLACE, "get", "jobs.batch", HOOK) else "the hook",
            SECONDS,
        )
    finally:
        helm.kill()
        helm.wait()


def test_a_killed_installation_is_installed_by_the_next_run(kubectl: Kubectl) -> None:
    with release.values_file(release.values({}, ["demo"])) as values:
        _kill_helm_in_the_hook(kubectl, values)
        assert release.status(kubectl, release.NAME) == "pending-install"
        with _hooks_succeeding(kubectl):
            release.upgrade(kubectl, release.NAME, "--values", values)
    assert release.status(kubectl, release.NAME) == "deployed"


def test_a_killed_upgrade_is_upgraded_by_the_next_run(kubectl: Kubectl) -> None:
    with release.values_file(release.values({}, ["demo"])) as values:
        with _hooks_succeeding(kubectl):
            release.upgrade(kubectl, release.NAME, "--values", values)
        _kill_helm_in_the_hook(kubectl, values)
        assert release.status(kubectl, release.NAME) == "pending-upgrade"
        with _hooks_succeeding(kubectl):
            release.upgrade(kubectl, release.NAME, "--values", values)
    assert release.status(kubectl, release.NAME) == "deployed"
