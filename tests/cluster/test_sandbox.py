"""What an agent's pod may do to the machine, and what becomes of one that wants too much."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from devtools.errors import ToolError
from devtools.kubectl import Kubectl
from tests.support import inside, unguarded
from tests.support.onboarded import Workspace
from tests.support.unguarded import Outside

FORKS = 400
# The node's bound for every pod, minus what runs in one anyway.
MOST_FORKS = 256
MEBIBYTE = 1024 * 1024
# A kubelet looks at volumes once a minute, unless it is told to do so more often.
EVICTION_SECONDS = 150.0
FILL_MEMORY = "held = bytearray({bytes}); print(len(held))"
FILL_DISK = """
import os, time
with open("filled", "wb") as file:
    for _ in range({mebibytes}):
        file.write(os.urandom(1024 * 1024))
time.sleep({seconds})
print("filled")
"""
SMALL = {"resources": {"limits": {"memory": "128Mi", "ephemeral-storage": "400Mi"}}}


@pytest.fixture(scope="module")
def marker(on_the_node: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file on the machine that nobody in a pod should read."""
    file = tmp_path_factory.mktemp("machine") / "marker"
    file.write_text("a secret of the machine")
    return file


@pytest.fixture(scope="module")
def shop(proving: Workspace) -> Workspace:
    """A workspace with an Agent of small limits, in which the slow attempt is under way already."""
    proving.agent("small", workspace={"size": "64Mi"}, **SMALL)
    program = FILL_DISK.format(mebibytes=200, seconds=600)
    proving.command("hoard", "small", "python3", "-c", program)
    return proving


def _printed(workspace: Workspace, job: str, *words: str) -> Any:
    workspace.command(job, "small", *words)
    status = workspace.ended(job)
    assert status["phase"] == "Succeeded", status
    return json.loads(status["result"]["answer"])


def test_the_deeds_succeed_without_a_guard_and_none_does_in_an_agents_pod(
    shop: Workspace, outside: Outside, marker: Path
) -> None:
    words = ["python3", "-c", inside.source("deeds"), str(marker)]
    outside.start("deeds", words, privileged=True)
    in_an_agents_pod = _printed(shop, "deeds", *words)
    without_guard = outside.printed("deeds")
    assert without_guard["done"] == without_guard["tried"]
    assert in_an_agents_pod == {"tried": without_guard["tried"], "done": []}


def test_a_workspace_takes_no_pod_that_opens_the_machine(
    kubectl: Kubectl, proving: Workspace
) -> None:
    manifest = unguarded.manifest(proving.name, "open", ["true"], privileged=True)
    with pytest.raises(
        ToolError, match=r"violates PodSecurity .*host namespaces .*privileged .*hostPath"
    ):
        kubectl.apply(manifest)


@pytest.mark.usefixtures("on_the_node")
def test_an_agent_makes_no_more_processes_than_the_node_grants_a_pod(shop: Workspace) -> None:
    words = ["-c", inside.source("forks"), str(FORKS)]
    on_the_machine = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=True
    )
    assert json.loads(on_the_machine.stdout) == FORKS
    assert 10 < _printed(shop, "forks", "python3", *words) < MOST_FORKS


def test_more_memory_than_the_limit_ends_as_out_of_memory(shop: Workspace) -> None:
    less, more = 32 * MEBIBYTE, 512 * MEBIBYTE
    assert _printed(shop, "modest", "python3", "-c", FILL_MEMORY.format(bytes=less)) == less
    shop.command("greedy", "small", "python3", "-c", FILL_MEMORY.format(bytes=more))
    status = shop.ended("greedy")
    assert status["phase"] == "Failed"
    assert status["attempts"][-1]["reason"] == "OutOfMemory"


def test_less_disk_than_the_limit_is_granted(shop: Workspace) -> None:
    program = FILL_DISK.format(mebibytes=16, seconds=0)
    shop.command("frugal", "small", "python3", "-c", program)
    assert shop.ended("frugal")["result"]["answer"] == "filled\n"


def test_more_disk_than_the_limit_ends_as_evicted(shop: Workspace) -> None:
    status = shop.ended("hoard", EVICTION_SECONDS)
    assert status["phase"] == "Failed"
    assert status["attempts"][-1]["reason"] == "Evicted"
    assert "workspace" in status["attempts"][-1]["message"]
