"""The client without a network: what it would send, and what it is answered."""

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import httpx

from coxswain.client import Client, RetryPolicy
from coxswain.client.options import Token
from coxswain.client.retries import Pacing

URL = "https://coxswain.example"
Said = httpx.Response | Exception
QUICK = RetryPolicy(first_seconds=0.01, most_seconds=0.1, total_seconds=20, tries=200)
"""For tests that cut often, over a real network."""
SOON = (0.01, 0.05)
"""Seconds, from and to, that a stream's reader is told to wait before it comes back, for the same tests."""
JOB = {
    "id": "1",
    "kind": "Job",
    "workspace": "team",
    "name": "first",
    "status": "Queued",
    "createdAt": "2026-11-29T10:00:00Z",
    "generation": 1,
    "version": "7",
    "spec": {},
}


@dataclass
class Script:
    """Answers in the order given, the last one for ever; time passes only by waiting."""

    answers: deque[Said]
    sent: list[httpx.Request] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    now: float = 0.0
    draw: float = 1.0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Take a request."""
        self.sent.append(request)
        said = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
        if isinstance(said, Exception):
            raise said
        return said

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.waits.append(seconds)
        self.now += seconds

    async def sleep_awaited(self, seconds: float) -> None:
        """The same for the other client."""
        self.sleep(seconds)

    @property
    def pacing(self) -> Pacing:
        """Its clock, and the chance that it was given."""
        return Pacing(clock=lambda: self.now, draw=lambda: self.draw)

    def client(self, policy: RetryPolicy | None = None, token: Token = None) -> Client:
        """A client that talks to it."""
        return Client(
            URL,
            token,
            policy=policy,
            transport=httpx.MockTransport(self),
            pacing=self.pacing,
            sleep=self.sleep,
        )


def script(*answers: Said) -> Script:
    """A script of these answers."""
    return Script(deque(answers))


def good(body: Any) -> httpx.Response:
    """An answer in JSON."""
    return httpx.Response(200, json=body)


def refusal(status: int, code: str = "code", **more: Any) -> httpx.Response:
    """A refusal, as the platform writes it; ``after`` is its Retry-After."""
    headers = {"Content-Type": "application/problem+json"}
    if "after" in more:
        headers["Retry-After"] = str(more.pop("after"))
    problem = {"status": status, "code": code, "message": "why", "requestId": "r-1", **more}
    return httpx.Response(status, content=json.dumps(problem), headers=headers)
