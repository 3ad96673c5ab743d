"""Processes of pods as the machine sees them, where the machine is the cluster's node."""

import os
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from devtools.kubectl import Kubectl

PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """One process of a pod."""

    pid: int
    pod: str
    words: tuple[str, ...]

    @property
    def resident_bytes(self) -> int:
        """Memory that it holds now."""
        lines = (PROC / str(self.pid) / "status").read_text().splitlines()
        (resident,) = (line for line in lines if line.startswith("VmRSS"))
        return int(resident.split()[1]) * 1024

    @property
    def proportional_bytes(self) -> int:
        """Memory that it holds now, of what it shares with others its part alone."""
        lines = (PROC / str(self.pid) / "smaps_rollup").read_text().splitlines()
        (own,) = (line for line in lines if line.startswith("Pss:"))
        return int(own.split()[1]) * 1024

    def kill(self) -> None:
        """End it as a crash would."""
        os.kill(self.pid, signal.SIGKILL)

    def freeze(self) -> None:
        """Stop its time."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)


def of_component(kubectl: Kubectl, namespace: str, component: str) -> list[Process]:
    """All processes of the pods of one component of the platform, the sandboxes' own left out."""
    selector = f"app.kubernetes.io/component={component}"
    pods = kubectl.json("--namespace", namespace, "get", "pods", "--selector", selector)["items"]
    uids = {pod["metadata"]["uid"]: pod["metadata"]["name"] for pod in pods}
    return [each for each in _all(uids) if each.words[0] != "/pause"]


def of_pods(uids: Iterable[str]) -> list[Process]:
    """All processes of pods, the sandboxes' own left out."""
    return [each for each in _all(dict.fromkeys(uids, "")) if each.words[0] != "/pause"]


def _all(uids: dict[str, str]) -> Iterator[Process]:
    for folder in PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            groups = (folder / "cgroup").read_text()
            words = tuple((folder / "cmdline").read_text().split("\0")[:-1])
        except OSError:
            continue
        name = next((name for uid, name in uids.items() if uid in groups), None)
        if name is not None and words:
            yield Process(int(folder.name), name, words)
