"""Those who call the API over HTTP, by the platform's own clients: a person, and agents with the token of their pod.

Each asks until it is answered. What they ask and hear goes into a file that no part of the platform can reach.
"""

import asyncio
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from coxswain import names
from coxswain.api.contract import CallAnswer, CallRequest, RunEvent, RunResult
from coxswain.api.retry_policy import RetryPolicy
from coxswain.client import AsyncClient
from coxswain.client.errors import LeaseLostError
from coxswain.client.models import CallView, EventView
from coxswain.errors import TransientError
from coxswain_agent.backoff import persist
from coxswain_agent.clock import RunClock
from coxswain_agent.contract import Platform
from tests.faults.history import Heard
from tests.support.leader import INSTALLATION
from tests.support.pods import FakePod

HERE = "127.0.0.1"
TOKEN = "a-local-token-of-the-tests"
PERSON = "local"
"""As the API knows whoever has that token."""
TIMEOUT_SECONDS = 2.0
"""Less than a process is frozen for, so that an answer is lost and what was asked goes on beside its repeat."""
PATIENT = RetryPolicy(tries=1000, total_seconds=600.0, most_seconds=1.0)
SAID = "run.custom.said"
T = TypeVar("T")


class Notebook:
    """What all callers asked and heard, in order; ``clock`` gives seconds of the run."""

    def __init__(self, file: Path, clock: Callable[[], float]) -> None:
        self._file = file
        self._clock = clock

    async def asks(
        self,
        call: str,
        about: Mapping[str, Any],
        answer: Awaitable[T],
        kept: Callable[[T], Mapping[str, Any]] = lambda _: {},
    ) -> T:
        """Write down what is asked, and of its answer what is ``kept``, once there is one."""
        self._write(call, about, None)
        found = await answer
        self._write(call, about, kept(found))
        return found

    def heard(self) -> list[Heard]:
        """All of it."""
        if not self._file.exists():
            return []
        return [Heard(**json.loads(line)) for line in self._file.read_text().splitlines()]

    def _write(self, call: str, about: Mapping[str, Any], answer: Mapping[str, Any] | None) -> None:
        line = Heard(self._clock(), call, dict(about), None if answer is None else dict(answer))
        with self._file.open("a") as file:
            file.write(json.dumps(asdict(line)) + "\n")


@dataclass(frozen=True)
class Api:
    """Where it answers, and what its callers write in."""

    url: str
    folder: Path
    notebook: Notebook

    @asynccontextmanager
    async def person(self, workspace: str) -> AsyncIterator["Person"]:
        """Somebody who works in a workspace."""
        async with AsyncClient(
            self.url, TOKEN, policy=PATIENT, timeout_seconds=TIMEOUT_SECONDS
        ) as client:
            yield Person(client, workspace, self.notebook)

    @asynccontextmanager
    async def worker(self, pod: FakePod) -> AsyncIterator["Worker"]:
        """The agent in a pod."""
        token = self.folder / f"token-{pod.uid}"
        token.write_text(await pod.token(names.audience(INSTALLATION)))
        async with aiohttp.ClientSession() as session:
            yield Worker(Platform(session, self.url, token), pod, self.notebook)


@dataclass(frozen=True)
class Person:
    """A person, by the client for Python; the calls of it that nobody here writes down are ``client``'s."""

    client: AsyncClient
    workspace: str
    notebook: Notebook

    async def makes(self, name: str, key: str, spec: Mapping[str, Any]) -> str:
        """Make a Job under an idempotency key; its uid."""
        made = await self.notebook.asks(
            "create",
            {"key": key},
            self.client.jobs.create(self.workspace, spec, name=name, key=key),
            lambda found: {"job": found.id},
        )
        return made.id

    async def cancels(self, name: str, job: str) -> None:
        """Ask for the end of a Job of this uid."""
        await self.notebook.asks(
            "cancel", {"job": job}, self.client.jobs.cancel(self.workspace, name)
        )

    async def follows(self, name: str, job: str) -> None:
        """Read all that happens to a Job of this uid, to its end."""

        async def positions() -> list[int]:
            stream = self.client.jobs.follow(self.workspace, name)
            return [each.position async for each in stream if isinstance(each, EventView)]

        await self.notebook.asks(
            "follow", {"job": job}, positions(), lambda found: {"positions": found}
        )

    async def agrees(self, shown: CallView) -> None:
        """Agree to a call of a tool as it was shown."""
        await self.notebook.asks(
            "agree",
            {"job": shown.id, "hash": shown.hash},
            self.client.approvals.approve_call(shown),
        )

    async def takes(self, lease: str, holder: str) -> int:
        """Take a lease as one of one's programs; its token."""
        taken = await self.notebook.asks(
            "take",
            {"lease": lease, "holder": holder},
            self.client.leases.acquire(self.workspace, lease, holder=holder),
            lambda found: {"token": found.token},
        )
        return taken.token

    async def keeps(self, lease: str, holder: str, token: int) -> None:
        """Renew it."""
        await self.notebook.asks(
            "keep",
            {"lease": lease, "holder": holder, "token": token},
            self.client.leases.renew(self.workspace, lease, token, holder=holder),
        )

    async def lets_go(self, lease: str, holder: str, token: int) -> None:
        """Let it go. Where that was done and not answered, somebody else may have it by now."""
        with suppress(LeaseLostError):
            await self.notebook.asks(
                "let go",
                {"lease": lease, "holder": holder, "token": token},
                self.client.leases.release(self.workspace, lease, token, holder=holder),
            )


class Worker:
    """An agent that keeps to the contract of agent images."""

    def __init__(self, platform: Platform, pod: FakePod, notebook: Notebook) -> None:
        self._platform = platform
        self._pod = pod
        self._notebook = notebook
        self._clock: RunClock
        self._seq = 0
        job, _, attempt = pod.environment["COXSWAIN_RUN"].partition("/")
        self._run = {"job": job, "attempt": int(attempt)}

    async def claims(self) -> int:
        """Claim the run; its fencing token. ClosedError and RefusedError: it is another pod's, or over."""
        run = self._pod.environment["COXSWAIN_RUN"]
        found = await self._asks(
            "claim",
            {"pod": self._pod.uid},
            lambda: self._platform.claim(run),
            lambda answer: {"token": answer.token},
        )
        self._clock, self._seq = RunClock(found.server_time), found.last_seq
        return found.token

    async def tells(self, *texts: str) -> None:
        """Append a batch of events, an event for each text."""
        batch = []
        for text in texts:
            self._seq += 1
            event = RunEvent(
                id=self._clock.event_id(), seq=self._seq, type=SAID, details={"text": text}
            )
            batch.append(event)
        await self._asks(
            "events",
            {"events": {str(each.seq): str(each.id) for each in batch}},
            lambda: self._platform.append(batch),
            lambda answer: {"lastSeq": answer.last_seq},
        )

    async def lives(self) -> bool:
        """Send a heartbeat; whether the run is to end."""
        return (await self._asks("heartbeat", {}, self._platform.heartbeat)).cancel

    async def asks_about(self, tool: str, arguments: str) -> CallAnswer:
        """Ask people about a call of a tool, or how far they are with it."""
        wanted = CallRequest(tool=tool, arguments=arguments)
        return await self._asks(
            "ask",
            {},
            lambda: self._platform.ask(wanted),
            lambda answer: {"hash": answer.hash, "state": answer.state},
        )

    async def says(self, status: str, **more: Any) -> None:
        """Post the one result."""
        result = RunResult.model_validate({"status": status, **more})
        await self._asks(
            "result", {"result": result.to_wire()}, lambda: self._platform.finish(result)
        )

    async def _asks(
        self,
        call: str,
        about: Mapping[str, Any],
        attempt: Callable[[], Awaitable[T]],
        kept: Callable[[T], Mapping[str, Any]] = lambda _: {},
    ) -> T:
        async def once() -> T:
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    return await attempt()
            except TimeoutError as error:
                raise TransientError(f"no answer within {TIMEOUT_SECONDS:g} s") from error

        return await self._notebook.asks(
            call, {**self._run, **about}, persist(once, math.inf), kept
        )
