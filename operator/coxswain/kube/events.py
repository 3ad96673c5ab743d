"""Kubernetes Events for people: failures and long waits only, posted in the background.

One Event per object and reason; a repeat raises its count. They are never needed for correctness,
so a full line drops the oldest, and an object that causes many has a bound.
"""

import asyncio
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any, NamedTuple

import structlog

from coxswain import names
from coxswain.errors import ConflictError, CoxswainError
from coxswain.kube import paths
from coxswain.kube.client import Client
from coxswain.kube.event_budget import EventBudget

log = structlog.get_logger()

LINE = 1_000
MESSAGE_CHARACTERS = 1_000
COMPONENT = "coxswain-operator"


class Subject(NamedTuple):
    """The object that an Event is about."""

    kind: str
    namespace: str
    name: str
    uid: str


class EventPoster:
    """A line of Events and the task that posts them."""

    def __init__(self, client: Client, instance: str, budget: EventBudget | None = None) -> None:
        self._client = client
        self._instance = instance
        self._budget = budget or EventBudget()
        self._line: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._filled = asyncio.Event()
        self._is_posting = False

    @property
    def waiting(self) -> int:
        """How many are lined up, or just being posted."""
        return len(self._line) + self._is_posting

    def post(self, subject: Subject, kind: str, reason: str, message: str) -> None:
        """Line up an Event of type Normal or Warning; one that waits already is counted up."""
        body = self._body(subject, kind, reason, message)
        key = f"{subject.uid}/{body['metadata']['name']}"
        waiting = self._line.get(key)
        if waiting is not None:
            body["firstTimestamp"] = waiting["firstTimestamp"]
            self._line[key] = {**body, "count": waiting["count"] + 1}
            return
        count = self._budget.take(subject.uid, body["metadata"]["name"])
        if count == 0:
            return
        self._line[key] = {**body, "count": count}
        while len(self._line) > LINE:
            self._line.popitem(last=False)
        self._filled.set()

    async def run(self) -> None:
        """Post what is lined up until cancelled; a refusal is logged and not repeated."""
        while True:
            await self._filled.wait()
            while self._line:
                _, body = self._line.popitem(last=False)
                self._is_posting = True
                try:
                    await self._post(body["metadata"]["namespace"], body)
                except CoxswainError as error:
                    log.info("event not posted", reason=body["reason"], error=error.message)
                finally:
                    self._is_posting = False
            self._filled.clear()

    async def _post(self, namespace: str, body: dict[str, Any]) -> None:
        try:
            await self._client.create(paths.collection("events", namespace), body)
        except ConflictError:
            path = paths.of("events", namespace, body["metadata"]["name"])
            known = await self._client.get(path)
            change = {
                "count": int(known.get("count") or 1) + body["count"],
                "lastTimestamp": body["lastTimestamp"],
                "message": body["message"],
            }
            await self._client.patch(path, change)

    def _body(self, subject: Subject, kind: str, reason: str, message: str) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        name = names.child_name(subject.name, subject.uid, names.uid_hash(kind + reason))
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": subject.namespace},
            "involvedObject": {
                "apiVersion": names.API_VERSION,
                "kind": subject.kind,
                "namespace": subject.namespace,
                "name": subject.name,
                "uid": subject.uid,
            },
            "type": kind,
            "reason": reason,
            "message": message[:MESSAGE_CHARACTERS],
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "reportingInstance": self._instance,
        }
