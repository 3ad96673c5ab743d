"""Suite m1: the life of Jobs, idempotency, retries and the callback's allow-list, over the API's client alone.

It needs a workspace with an Agent that takes commands, and leaves its Jobs there.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from coxswain.client import Client, ClientError
from coxswain.client.models import EventView, Resource, ResyncView
from devtools import example, patience
from devtools.errors import ToolError

END_SECONDS = 120.0
NOBODY = "https://callbacks.example.invalid/"
Body = dict[str, Any]


@dataclass(frozen=True)
class Receivers:
    """Where callbacks may go and may not; without ``allowed`` the list is taken to be empty."""

    allowed: str | None = None
    signing: str | None = None
    """Secret in the workspace that signs them."""
    other: str = NOBODY


@dataclass(frozen=True)
class Check:
    """One promise, and whether it was kept."""

    id: str
    promise: str
    holds: bool
    seen: Any

    def wire(self) -> Body:
        """As JSON."""
        return {"id": self.id, "promise": self.promise, "ok": self.holds, "seen": self.seen}


@dataclass
class Suite:
    """The checks of one run, in one workspace."""

    client: Client
    workspace: str
    agent: str
    receivers: Receivers = field(default_factory=Receivers)
    run_id: str = field(default_factory=lambda: secrets.token_hex(4))

    def run(self) -> list[Check]:
        """Every check; one that cannot be made counts as not kept."""
        return [each for check in CHECKS for each in self._made(check)]

    def _made(self, check: Callable[["Suite"], Iterator[Check]]) -> list[Check]:
        try:
            return list(check(self))
        except (ToolError, ClientError, KeyError, ValueError) as error:
            return [Check(check.__name__, (check.__doc__ or "").strip(), False, str(error))]

    def lifecycle(self) -> Iterator[Check]:
        """Each edge of a Job's life stands in status, log of events and stream."""
        job = self.ended(self.made("life", ["echo", "said"]).name)
        edges = [each["phase"] for each in job.details["transitions"]]
        wanted = ["Queued", "Running", "Succeeded"]
        yield Check("J-02", "every edge stands in the status", edges == wanted, edges)
        same = [f"job.{phase.lower()}" for phase in wanted]
        told = [each.type for each in self.logged(job) if each.type in same]
        yield Check("J-03", "and in the log of events", told == same, told)
        stream = self.client.jobs.follow(self.workspace, job.name)
        order = [each.type for each in _events(stream) if each.type in same]
        yield Check("J-18", "and in the stream", order == same, order)
        output = self.client.jobs.log(self.workspace, job.name)
        yield Check("J-01", "the output is in the log", output == "said\n", output)

    def idempotency(self) -> Iterator[Check]:
        """One key makes one Job."""
        key = f"m1-{self.run_id}"
        ids = [self.made("same", ["true"], key=key).id for _ in range(2)]
        yield Check("J-05", "the same key and payload give the same Job", len({*ids}) == 1, ids)
        seen = self.refusal("same", ["false"], key=key)
        kept = seen == [409, "idempotency_key_reused"]
        yield Check("J-06", "the same key with another payload is 409", kept, seen)
        queue = self.refusal("same", ["true"], queue="m1-other", key=key)
        yield Check("J-07", "another queue is another payload", queue[0] == 409, queue[0])

    def retries(self) -> Iterator[Check]:
        """A Job that fails is tried exactly as often as it may."""
        retry = {"maxAttempts": 3, "backoffSeconds": 1}
        job = self.ended(self.made("fails", ["false"], retry=retry).name)
        outcomes = [each["outcome"] for each in job.details["attempts"]]
        kept = (job.status, outcomes) == ("Failed", ["Failed"] * 3)
        yield Check("J-08", "three attempts, then Failed", kept, [job.status, *outcomes])

    def callbacks(self) -> Iterator[Check]:
        """A callback goes to an allowed host and to no other; the Job's end does not hang on it."""
        receivers = self.receivers
        if receivers.allowed is not None:
            target: Body = {"url": receivers.allowed}
            if receivers.signing is not None:
                target["signing"] = {"name": receivers.signing}
            told = self.told("told", target)
            kept = told == ["Succeeded", "callback.delivered", None]
            yield Check("J-13", "an allowed host is told", kept, told)
        refused = self.told("untold", {"url": receivers.other})
        kept = refused == ["Succeeded", "callback.skipped", "DomainNotAllowed"]
        yield Check("J-14", "any other host is not, which is logged", kept, refused)

    def told(self, name: str, target: Body) -> list[Any]:
        """How a Job with that callback ended, and what came of the callback."""
        job = self.ended(self.made(name, ["true"], callback=target).name)
        found: list[EventView] = []

        def pending() -> str:
            found[:] = [each for each in self.logged(job) if each.type.startswith("callback.")]
            return "" if found else f"what comes of the callback of {job.name}"

        patience.until(pending, END_SECONDS)
        return [job.status, found[-1].type, found[-1].details.get("reason")]

    def made(
        self, name: str, command: list[str], *, key: str | None = None, **spec: Any
    ) -> Resource:
        """Make a Job."""
        wanted = {
            "agentRef": {"name": self.agent},
            "title": f"suite m1: {name}",
            "command": command,
            **spec,
        }
        named = f"m1-{self.run_id}-{name}"
        return self.client.jobs.create(self.workspace, wanted, name=named, key=key)

    def refusal(self, name: str, command: list[str], **given: Any) -> list[Any]:
        """Status and code of the refusal of a Job; nothing if it is made."""
        try:
            self.made(name, command, **given)
        except ClientError as error:
            return [error.status, error.code]
        return [None]

    def ended(self, name: str) -> Resource:
        """Wait for the end of a Job; the Job as it is then."""
        found: list[Resource] = []

        def pending() -> str:
            found[:] = [self.client.jobs.get(self.workspace, name)]
            return "" if found[0].status in example.ENDS else f"{name}, which is {found[0].status}"

        patience.until(pending, END_SECONDS)
        return found[0]

    def logged(self, job: Resource) -> list[EventView]:
        """What the log holds of a Job."""
        return _events(self.client.events.list(job=job.id))


def _events(found: Iterable[EventView | ResyncView]) -> list[EventView]:
    return [each for each in found if isinstance(each, EventView)]


CHECKS = (Suite.lifecycle, Suite.idempotency, Suite.retries, Suite.callbacks)
