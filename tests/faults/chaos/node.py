"""What can be done to the native node: its parts killed and started, processes frozen, a pod cut off."""

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from devtools import shell
from devtools.errors import ToolError
from devtools.images import store
from devtools.node import components, credentials, processes, settings
from devtools.node.processes import Component
from devtools.node.settings import Node
from tests.support.processes import Process

CHAIN = "COXSWAIN-CHAOS"
"""Its prefix is one of those that hack/cluster down clears away, whatever became of us."""
KUBELET, CONTAINERD = "kubelet", "containerd"


@dataclass(frozen=True)
class Parts:
    """The node's own processes, and all that is needed to start them again."""

    node: Node
    known: Mapping[str, Component]

    @classmethod
    def prepared(cls) -> Self:
        """Of the node of this machine. Nothing has to be built once it goes wrong."""
        node = settings.current()
        made = components.makings(node, credentials.ensure(node))
        pause = store.ensure("pause")
        known = (components.kubelet(made), components.containerd(made, pause))
        return cls(node, {each.name: each for each in known})

    def main(self, name: str) -> Process:
        """The process of a part. Raises ToolError where it does not run."""
        found = processes.running(self.node.folder, name)
        if found is None:
            raise ToolError(f"{name} does not run", "hack/cluster up repairs the node")
        return Process(found.pid, "", (name,))

    def start(self, name: str) -> None:
        """Start a part unless it runs, and wait until it is ready."""
        processes.ensure(self.known[name], self.node.folder, self.node.logs)

    def mend(self) -> None:
        """Take back what a run that was killed has left."""
        for name in self.known:
            if processes.running(self.node.folder, name) is not None:
                thaw([self.main(name)])
            self.start(name)
        _iptables("--flush", CHAIN)
        _open_up()


@contextmanager
def killed(parts: Parts, name: str) -> Iterator[None]:
    """A part is dead for the length of a block."""
    processes.kill([parts.main(name).pid])
    try:
        yield
    finally:
        parts.start(name)


@contextmanager
def frozen(victims: Iterable[Process]) -> Iterator[None]:
    """The time of these processes stands still for the length of a block."""
    stopped: list[Process] = []
    try:
        for each in victims:
            # It may have ended meanwhile, as at any other moment.
            with contextlib.suppress(ProcessLookupError):
                each.freeze()
                stopped.append(each)
        yield
    finally:
        thaw(stopped)


def thaw(stopped: Iterable[Process]) -> None:
    """Let processes go on, those that are left."""
    for each in stopped:
        with contextlib.suppress(ProcessLookupError):
            each.thaw()


@contextmanager
def cut_off(address: str) -> Iterator[None]:
    """Nothing that the pod with this address sends arrives anywhere, for the length of a block."""
    (route,) = json.loads(shell.run(["ip", "-json", "route", "get", address]))
    device = str(route["dev"])
    if not device.startswith("cali"):
        raise ToolError(f"{address} is no pod of this node: the way to it is {device}")
    _iptables("--new-chain", CHAIN)
    shell.run(_words("--append", CHAIN, "--jump", "DROP"))
    shell.run(_words("--insert", "PREROUTING", "--in-interface", device, "--jump", CHAIN))
    try:
        yield
    finally:
        _iptables("--flush", CHAIN)
        _open_up()


def _open_up() -> None:
    """Take the chain away, and every rule that leads to it."""
    saved = shell.run(["iptables-save", "-t", "raw"])
    for rule in leading(saved):
        _iptables("--delete", *rule)
    _iptables("--delete-chain", CHAIN)


def leading(saved: str) -> list[list[str]]:
    """The rules that lead to the chain, as iptables-save prints them, without the ``-A`` before each."""
    rules = (line.split() for line in saved.splitlines() if line.startswith("-A"))
    return [words[1:] for words in rules if words[-2:] == ["-j", CHAIN]]


def _iptables(*words: str) -> bool:
    return shell.answers(_words(*words))


def _words(*words: str) -> list[str]:
    return ["iptables", "--wait", "--table", "raw", *words]
