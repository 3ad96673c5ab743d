"""Programs that go on while the platform is changed under them: a way in, a writer, a reader of the log."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from coxswain.client import NewEvent, RetryPolicy
from coxswain.client.errors import ClientError
from coxswain.client.models import EventView
from devtools import api_client, children, programs, release
from devtools.api_client import Api
from devtools.errors import ToolError
from devtools.kubectl import Kubectl

DOOR = "coxswain.dev/door=api"
LOOK_SECONDS = 2.0
# Longer than any replica is away, and without an end by number.
POLICY = RetryPolicy(tries=1000, total_seconds=120)
TICK, OVER = "user.upgrade.tick", "user.upgrade.over"


@contextmanager
def way_in(kubectl: Kubectl) -> Iterator[Api]:
    """The API at one port of this machine: where its replica goes, another one stands behind it soon."""
    port, is_over = children.free_port(), threading.Event()
    keeping = threading.Thread(target=_keep, args=(kubectl, port, is_over))
    keeping.start()
    try:
        yield api_client.behind(kubectl, port)
    finally:
        is_over.set()
        keeping.join()


def _keep(kubectl: Kubectl, port: int, is_over: threading.Event) -> None:
    while not is_over.is_set():
        pods = _serving(kubectl)
        if not pods:
            is_over.wait(LOOK_SECONDS)
            continue
        # The youngest is the last to go.
        child = children.start(_words(kubectl, pods[-1], port), Path(os.devnull))
        try:
            while child.poll() is None and not is_over.wait(LOOK_SECONDS):
                staying = _serving(kubectl)
                if staying and pods[-1] not in staying:
                    break
        finally:
            children.stop(child)


def _serving(kubectl: Kubectl) -> list[str]:
    """The pods that serve the API and stay, oldest first; none too if nobody can say."""
    words = ("--namespace", release.NAMESPACE, "get", "pods", "--selector", DOOR)
    try:
        pods = kubectl.json(*words)["items"]
    except ToolError:
        return []
    found = [each for each in pods if _is_serving(each)]
    return [each["metadata"]["name"] for each in sorted(found, key=_age)]


def _is_serving(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", [])
    ready = [each["status"] for each in conditions if each["type"] == "Ready"]
    return ready == ["True"] and "deletionTimestamp" not in pod["metadata"]


def _age(pod: dict[str, Any]) -> str:
    return str(pod["metadata"]["creationTimestamp"])


def _words(kubectl: Kubectl, pod: str, port: int) -> list[str]:
    place = ("--kubeconfig", str(kubectl.kubeconfig), "--namespace", release.NAMESPACE)
    ports = f"{port}:{release.API_PORT}"
    return [str(programs.tool("kubectl")), *place, "port-forward", f"pod/{pod}", ports]


class Writer:
    """Appends numbered events at a steady rate, each until it is accepted."""

    def __init__(self, api: Api, workspace: str, pause_seconds: float = 0.2) -> None:
        self.accepted: list[int] = []
        self.longest_seconds = 0.0
        """How long an append took, its tries together."""
        self.error: ClientError | None = None
        self._client = api.client(POLICY)
        self._workspace, self._pause = workspace, pause_seconds
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Writer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        self._client.close()

    def _run(self) -> None:
        number = 0
        try:
            while not self._is_over.wait(self._pause):
                self._append(TICK, number)
                self.accepted.append(number)
                number += 1
            self._append(OVER, number)
        except ClientError as error:
            self.error = error

    def _append(self, type_: str, number: int) -> None:
        began = time.monotonic()
        self._client.events.append([NewEvent(type_, self._workspace, {"number": number})])
        self.longest_seconds = max(self.longest_seconds, time.monotonic() - began)


class Reader:
    """Follows the log of a workspace in one stream, until the writer's last event."""

    def __init__(self, api: Api, workspace: str, after: int) -> None:
        self.seen: list[EventView] = []
        self.marks = 0
        """How often it was told that something may be missing."""
        self.error: ClientError | None = None
        self._client = api.client(POLICY)
        self._workspace, self._after = workspace, after
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(60)
        self._client.close()

    def _run(self) -> None:
        try:
            for each in self._client.events.tail(after=self._after, workspace=self._workspace):
                if not isinstance(each, EventView):
                    self.marks += 1
                    continue
                self.seen.append(each)
                if each.type == OVER:
                    return
        except ClientError as error:
            self.error = error
