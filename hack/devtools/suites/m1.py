"""Suite m1: the life of Jobs, idempotency, retries and the callback's allow-list, over HTTP alone.

It needs a workspace with an Agent that takes commands, and leaves its Jobs there.
"""

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from devtools import example, patience
from devtools.api_client import Api
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

    api: Api
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
        except (ToolError, KeyError, ValueError) as error:
            return [Check(check.__name__, (check.__doc__ or "").strip(), False, str(error))]

    def lifecycle(self) -> Iterator[Check]:
        """Each edge of a Job's life stands in status, log of events and stream."""
        job = self.ended(self.made("life", ["echo", "said"]))
        edges = [each["phase"] for each in job["details"]["transitions"]]
        wanted = ["Queued", "Running", "Succeeded"]
        yield Check("J-02", "every edge stands in the status", edges == wanted, edges)
        logged = [each["type"] for each in self.api.events(f"job={job['id']}")]
        told = [kind for kind in logged if kind in ("job.queued", "job.running", "job.succeeded")]
        same = [f"job.{phase.lower()}" for phase in wanted]
        yield Check("J-03", "and in the log of events", told == same, told)
        stream = self.api.get(f"{self.path}/{job['name']}/stream").body
        order = [stream.find(f'"{kind}"') for kind in same]
        yield Check("J-18", "and in the stream", -1 not in order and order == sorted(order), order)
        output = self.api.get(f"{self.path}/{job['name']}/log").body
        yield Check("J-01", "the output is in the log", output == "said\n", output)

    def idempotency(self) -> Iterator[Check]:
        """One key makes one Job."""
        key = f"m1-{self.run_id}"
        first = self.post("same", ["true"], key=key)
        again = self.post("same", ["true"], key=key)
        ids = [first[1]["id"], again[1].get("id")]
        yield Check("J-05", "the same key and payload give the same Job", len({*ids}) == 1, ids)
        other = self.post("same", ["false"], key=key)
        seen = [other[0], other[1].get("code")]
        kept = seen == [409, "idempotency_key_reused"]
        yield Check("J-06", "the same key with another payload is 409", kept, seen)
        queue = self.post("same", ["true"], queue="m1-other", key=key)
        yield Check("J-07", "another queue is another payload", queue[0] == 409, queue[0])

    def retries(self) -> Iterator[Check]:
        """A Job that fails is tried exactly as often as it may."""
        retry = {"maxAttempts": 3, "backoffSeconds": 1}
        job = self.ended(self.made("fails", ["false"], retry=retry))
        outcomes = [each["outcome"] for each in job["details"]["attempts"]]
        kept = (job["status"], outcomes) == ("Failed", ["Failed"] * 3)
        yield Check("J-08", "three attempts, then Failed", kept, [job["status"], *outcomes])

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
        job = self.ended(self.made(name, ["true"], callback=target))
        found: list[Body] = []

        def pending() -> str:
            logged = self.api.events(f"job={job['id']}")
            found[:] = [each for each in logged if each["type"].startswith("callback.")]
            return "" if found else f"what comes of the callback of {job['name']}"

        patience.until(pending, END_SECONDS)
        return [job["status"], found[-1]["type"], found[-1]["details"].get("reason")]

    def made(self, name: str, command: list[str], **spec: Any) -> str:
        """Make a Job; its name."""
        status, answer = self.post(name, command, **spec)
        if status != 201:
            raise ToolError(f"the Job {name} was answered {status}: {json.dumps(answer)}")
        return str(answer["name"])

    def post(
        self, name: str, command: list[str], *, key: str = "", **spec: Any
    ) -> tuple[int, Body]:
        """Ask for a Job; status and body of the answer."""
        body = {
            "metadata": {"name": f"m1-{self.run_id}-{name}"},
            "spec": {
                "agentRef": {"name": self.agent},
                "title": f"suite m1: {name}",
                "command": command,
                **spec,
            },
        }
        headers = {"Idempotency_Key": key} if key else {}
        answer = self.api.post(self.path, body, **headers)
        return answer.status, answer.json

    def ended(self, name: str) -> Body:
        """Wait for the end of a Job; the Job as it is then."""
        found: Body = {}

        def pending() -> str:
            found.update(self.api.get(f"{self.path}/{name}").json)
            return "" if found["status"] in example.ENDS else f"{name}, which is {found['status']}"

        patience.until(pending, END_SECONDS)
        return found

    @property
    def path(self) -> str:
        """The route of the workspace's Jobs."""
        return f"/v1/workspaces/{self.workspace}/jobs"


CHECKS = (Suite.lifecycle, Suite.idempotency, Suite.retries, Suite.callbacks)
