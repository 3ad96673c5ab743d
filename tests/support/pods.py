"""One pod as the fake kubelet sees it, and what may happen to it.

A script is a coroutine that gets the pod and reports what a kubelet would. Ready-made ones are at
the end; a test writes its own as ``async def script(pod): await pod.starts(); ...``.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from coxswain.errors import ConflictError, NotFoundError, TransientError
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.names import DOOR_CONTAINER, LABEL_ATTEMPT

Body = dict[str, Any]
TERMINAL = ("Succeeded", "Failed")
REPORTS = 10


def now() -> str:
    """This moment as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class FakePod:
    """A pod on the fake node; each method is one thing that a kubelet or a scheduler reports."""

    client: Client
    raw: Body
    node: str
    address: str
    phase: str = "Pending"
    started_at: str = ""
    restarts: int = 0
    """How often its door was started again."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the pod is to end, as by SIGTERM; scripts may watch it."""

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.raw["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.raw["metadata"]["namespace"])

    @property
    def uid(self) -> str:
        """Its uid."""
        return str(self.raw["metadata"]["uid"])

    @property
    def attempt(self) -> int:
        """The attempt that it runs."""
        return int(self.raw["metadata"]["labels"][LABEL_ATTEMPT])

    @property
    def has_door(self) -> bool:
        """Whether our door runs beside it, as a native sidecar."""
        first = self.raw["spec"].get("initContainers", [])
        return any(each["name"] == DOOR_CONTAINER for each in first)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its first container."""
        found = self.raw["spec"]["containers"][0].get("env", [])
        return {each["name"]: each.get("value", "") for each in found}

    async def token(self, audience: str, *, is_bound: bool = True) -> str:
        """The token that a kubelet would project into it."""
        spec: Body = {"audiences": [audience], "expirationSeconds": 3600}
        if is_bound:
            spec["boundObjectRef"] = {
                "apiVersion": "v1",
                "kind": "Pod",
                "name": self.name,
                "uid": self.uid,
            }
        account = self.raw["spec"].get("serviceAccountName", "default")
        path = paths.of("serviceaccounts", self.namespace, account, "token")
        answer = await self.client.create(path, {"spec": spec})
        return str(answer["status"]["token"])

    async def is_scheduled(self) -> None:
        """Bind it to the node; from now on a deletion waits for the kubelet."""
        target = {"apiVersion": "v1", "kind": "Node", "name": self.node}
        body = {"metadata": {"name": self.name, "uid": self.uid}, "target": target}
        await self.client.create(self._path("binding"), body)

    async def is_unschedulable(self, message: str) -> None:
        """No node fits."""
        condition = _condition("PodScheduled", "False", reason="Unschedulable", message=message)
        await self.report({"phase": "Pending", "conditions": [condition]})

    async def waits(self, reason: str, message: str = "") -> None:
        """The container cannot start: ImagePullBackOff, CreateContainerConfigError and the like."""
        waiting = {"reason": reason, "message": message}
        await self.report({"phase": "Pending", **self._container({"waiting": waiting})})

    async def door_runs(self) -> None:
        """The door runs and has not claimed the run yet, so the program waits."""
        await self._door_is({"running": {"startedAt": now()}}, {})

    async def door_fails(self, exit_code: int, message: str = "") -> None:
        """The door has ended before the program began; it will be started again and again."""
        end = {"exitCode": exit_code, "reason": "Error", "message": message, "finishedAt": now()}
        self.restarts += 1
        waiting = {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting"}
        await self._door_is({"waiting": waiting}, {"terminated": end})

    async def door_waits(self, reason: str, message: str = "") -> None:
        """The door cannot start: ImagePullBackOff and the like."""
        await self._door_is({"waiting": {"reason": reason, "message": message}}, {})

    async def _door_is(self, state: Body, last: Body) -> None:
        waits = self._container({"waiting": {"reason": "PodInitializing"}})
        door = self._status(self.raw["spec"]["initContainers"][0], state, is_started=False)
        door |= {"lastState": last, "restartCount": self.restarts}
        await self.report({"phase": "Pending", **waits, "initContainerStatuses": [door]})

    async def starts(self) -> None:
        """The container runs."""
        self.started_at = now()
        states = self._container({"running": {"startedAt": self.started_at}})
        conditions = [
            _condition(kind, "True")
            for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")
        ]
        await self.report(
            {
                "phase": "Running",
                "startTime": self.started_at,
                "hostIP": "192.0.2.1",
                "podIP": self.address,
                "podIPs": [{"ip": self.address}],
                "conditions": conditions,
                **states,
            }
        )

    async def ends(
        self, exit_code: int = 0, reason: str | None = None, message: str = "", told: str = ""
    ) -> None:
        """The container ended, and with it the pod; a door has ended after it, and told something."""
        terminated = {
            "exitCode": exit_code,
            "reason": reason or ("Completed" if exit_code == 0 else "Error"),
            "message": message,
            "startedAt": self.started_at or now(),
            "finishedAt": now(),
        }
        phase = "Succeeded" if exit_code == 0 else "Failed"
        containers = self._container({"terminated": terminated}, told)
        await self.report({"phase": phase, **containers})

    async def is_evicted(self, reason: str = "Evicted", message: str = "") -> None:
        """The kubelet ended the pod itself: Evicted, DeadlineExceeded."""
        await self.report({"phase": "Failed", "reason": reason, "message": message})

    async def is_disrupted(self, reason: str = "DeletionByTaintManager") -> None:
        """Somebody took the node away from it."""
        condition = _condition("DisruptionTarget", "True", reason=reason)
        await self.report({"phase": "Failed", "conditions": [condition]})

    async def vanishes(self) -> None:
        """It is gone from the API, without a word."""
        path = paths.of("pods", self.namespace, self.name)
        await self.client.delete(path, uid=self.uid, grace_seconds=0)

    async def report(self, status: Body) -> None:
        """Write its status, if it is still this very pod; again while the API server is busy."""
        body = {"metadata": {"uid": self.uid}, "status": status}
        for left in reversed(range(REPORTS)):
            try:
                await self.client.patch(self._path("status"), body)
                break
            except TransientError:
                if not left:
                    raise
                await asyncio.sleep(0.2)
        self.phase = str(status.get("phase", self.phase))

    async def confirm_end(self) -> None:
        """What a kubelet does when a deleted pod has stopped: the last status, then it is gone."""
        try:
            if self.phase not in TERMINAL:
                await (self.ends(143) if self.started_at else self._never_ran())
            await self.vanishes()
        except (NotFoundError, ConflictError):
            return

    async def _never_ran(self) -> None:
        terminated = {"exitCode": 137, "reason": "ContainerStatusUnknown"}
        await self.report({"phase": "Failed", **self._container({"terminated": terminated})})

    def _path(self, subresource: str) -> str:
        return paths.of("pods", self.namespace, self.name, subresource)

    def _container(self, state: Body, told: str = "") -> Body:
        """The program's container; a door beside it starts before it and ends after it."""
        container = self.raw["spec"]["containers"][0]
        program = self._status(container, state, is_started="running" in state)
        if not self.has_door:
            return {"containerStatuses": [program]}
        of_door: Body = {"running": {"startedAt": self.started_at or now()}}
        if "terminated" in state:
            of_door = {"terminated": {"exitCode": 0, "reason": "Completed", "message": told}}
        door = self._status(self.raw["spec"]["initContainers"][0], of_door, is_started=True)
        return {"containerStatuses": [program], "initContainerStatuses": [door]}

    def _status(self, container: Body, state: Body, *, is_started: bool) -> Body:
        return {
            "name": container["name"],
            "image": container["image"],
            "imageID": "",
            "ready": is_started,
            "started": is_started,
            "restartCount": 0,
            "state": state,
        }


def _condition(kind: str, status: str, **more: str) -> Body:
    return {"type": kind, "status": status, "lastTransitionTime": now(), **more}


Script = Callable[[FakePod], Awaitable[None]]


async def succeeds(pod: FakePod) -> None:
    """Runs and ends well at once."""
    await pod.starts()
    await pod.ends()


async def hangs(pod: FakePod) -> None:
    """Runs until it is told to end."""
    await pod.starts()
    await pod.stopping.wait()


def fails(exit_code: int = 1, reason: str | None = None) -> Script:
    """Runs and fails."""

    async def script(pod: FakePod) -> None:
        await pod.starts()
        await pod.ends(exit_code, reason)

    return script


def fails_until(attempt: int) -> Script:
    """Fails in every attempt before this one."""

    async def script(pod: FakePod) -> None:
        await pod.starts()
        await pod.ends(0 if pod.attempt >= attempt else 1)

    return script


def runs(agent: Callable[[FakePod], Awaitable[int]]) -> Script:
    """Runs an agent, which answers with its exit code."""

    async def script(pod: FakePod) -> None:
        await pod.starts()
        await pod.ends(await agent(pod))

    return script
