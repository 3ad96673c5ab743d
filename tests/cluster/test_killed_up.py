"""README's first command is killed at some point, on a node that is half dead and closed to pods."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from devtools import places, release
from devtools.kubectl import Kubectl
from devtools.node import processes, settings
from devtools.tiers import WORKSPACES

KINDS = f"helm upgrade --install {release.CRDS}"
PLATFORM = f"helm upgrade --install {release.NAME}"
# What the command says as it begins a step, and which parts of the node have to be dead for it.
MOMENTS = {
    "start kube-apiserver": ("etcd", "kube-apiserver"),
    "start containerd": ("containerd", "kubelet"),
    "start calico-felix": ("calico-felix", "kube-proxy"),
    KINDS: (),
    PLATFORM: (),
}

REPAIR_SECONDS = 300.0

pytestmark = [pytest.mark.alone, pytest.mark.usefixtures("on_the_node")]


def _words(folder: Path) -> list[str | Path]:
    values = folder / "values.json"
    values.write_text(json.dumps({"workspaces": [{"name": name} for name in WORKSPACES]}))
    return [places.REPOSITORY / "hack" / "up", "--values", values]


def _kill_at(moment: str, words: list[str | Path], is_in_it: Callable[[], bool]) -> None:
    """Start the command, and kill it and all that it has started once it is in that step."""
    running = subprocess.Popen(
        words,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert running.stderr is not None
    said = []
    for line in running.stderr:
        said.append(line)
        if line.rstrip().endswith(f"..    {moment}"):
            break
    else:
        pytest.fail("".join(said))
    while not is_in_it():
        assert running.poll() is None, "the step was over too soon"
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    running.stderr.close()


def _noted(kubectl: Kubectl, chart: str, **labels: str) -> set[str]:
    """What helm has noted of a chart's revisions: the names of their Secrets."""
    wanted = {"owner": "helm", "name": chart, **labels}
    selector = ",".join(f"{name}={text}" for name, text in wanted.items())
    words = ("get", "secrets", "--selector", selector)
    found = kubectl.json("--namespace", release.NAMESPACE, *words)["items"]
    return {each["metadata"]["name"] for each in found}


def _is_upgrading(kubectl: Kubectl) -> bool:
    """Whether a helm has noted that it is in the middle of an upgrade of the platform."""
    return bool(_noted(kubectl, release.NAME, status="pending-upgrade"))


def _middle(moment: str, kubectl: Kubectl) -> Callable[[], bool]:
    """Whether the command is in the middle of the step; to be asked for before it begins."""
    if moment == PLATFORM:
        return lambda: _is_upgrading(kubectl)
    if moment == KINDS:
        # This upgrade is over in a moment, so a new revision is enough, whatever it says of itself.
        before = _noted(kubectl, release.CRDS)
        return lambda: not _noted(kubectl, release.CRDS) <= before
    return lambda: True


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_up_is_repaired_by_the_next(moment: str, kubectl: Kubectl, tmp_path: Path) -> None:
    words = _words(tmp_path)
    kubectl.run("cordon", settings.NAME)
    parts = [processes.running(settings.current().folder, name) for name in MOMENTS[moment]]
    processes.kill([part.pid for part in parts if part is not None])
    _kill_at(moment, words, _middle(moment, kubectl))
    assert moment != PLATFORM or _is_upgrading(kubectl)
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, timeout=REPAIR_SECONDS
    )
    assert done.returncode == 0, done.stderr
    assert "DRINK ME" in done.stdout
    assert kubectl.answers("get", "--raw", "/readyz")
    assert "unschedulable" not in kubectl.json("get", "node", settings.NAME)["spec"]
