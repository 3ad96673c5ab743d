"""A platform door in this process: the contract's routes over memory, with faults on demand."""

import json
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from typing_extensions import override

from coxswain.api.contract import (
    ActRequest,
    BatchAnswer,
    CallAnswer,
    CallRequest,
    ClaimAnswer,
    ClaimRequest,
    EventBatch,
    HeartbeatAnswer,
    RunDocument,
    RunEvent,
    RunResult,
)
from coxswain.api.meta import Model
from tests.support.served import Served

JOB_UID = "0b6f3f5e-8f6e-4f0e-9b3b-1f4a5c6d7e8f"
RUN = f"{JOB_UID}/1"


def document(**fields: Any) -> RunDocument:
    """A run of the agent ``reader`` in the workspace ``team``."""
    known: dict[str, Any] = {
        "workspace": "team",
        "job_name": "ask",
        "job_uid": JOB_UID,
        "attempt": 1,
        "title": "Ask",
        "agent_name": "reader",
        "agent_uid": "5d0c2a37-1111-4222-8333-444455556666",
        "timeout_seconds": 60,
    }
    return RunDocument(**(known | fields))


@dataclass
class FakePlatform(Served):
    """Serves one run. ``faults[route]`` holds statuses to answer with before it behaves."""

    run: RunDocument
    token: str = "the-token"
    leases: dict[str, int] = field(default_factory=dict)
    events: list[RunEvent] = field(default_factory=list)
    acts: list[tuple[str, str]] = field(default_factory=list)
    artifacts: dict[str, bytes] = field(default_factory=dict)
    result: RunResult | None = None
    claims: int = 0
    heartbeats: int = 0
    callers: set[str | None] = field(default_factory=set)
    """Every traceparent that came, None for requests without."""
    cancel: bool = False
    away: bool = False
    words: deque[CallAnswer] = field(default_factory=deque)
    """What people say to questions, one look after the other."""
    asked: list[CallRequest] = field(default_factory=list)
    newer: dict[str, Any] = field(default_factory=dict)
    """Fields that every answer, and the run in it, has beside those that are known."""
    faults: dict[str, deque[int]] = field(default_factory=dict)
    fault_headers: dict[str, str] = field(default_factory=dict)

    @override
    def _application(self) -> web.Application:
        application = web.Application(client_max_size=32 * 1024 * 1024)
        application.router.add_route("*", "/v1/run/{route:.*}", self._serve)
        return application

    def kinds(self) -> list[str]:
        """The types of the events, in order."""
        return [event.type for event in self.events]

    def has_result(self) -> bool:
        """Whether a result was posted."""
        return self.result is not None

    def output(self, stream: str) -> str:
        """What came as output events."""
        return "".join(
            str(event.details["text"])
            for event in self.events
            if event.type == "run.output" and event.details["stream"] == stream
        )

    async def _serve(self, request: web.Request) -> web.Response:
        route = request.match_info["route"]
        self.callers.add(request.headers.get("traceparent"))
        status = self._fault(request, route.split("/")[0])
        if status is not None:
            problem = {"status": status, "code": "scripted"}
            return web.json_response(problem, status=status, headers=self.fault_headers)
        body = await request.read()
        match route:
            case "claim":
                return self._claim(ClaimRequest.model_validate_json(body))
            case "events":
                return self._append(EventBatch.model_validate_json(body))
            case "heartbeat":
                self.heartbeats += 1
                return self._answer(HeartbeatAnswer(cancel=self.cancel))
            case "acts":
                act = ActRequest.model_validate_json(body)
                self.acts.append((act.name, act.phase))
                return web.Response(status=204)
            case "approvals":
                self.asked.append(CallRequest.model_validate_json(body))
                return self._answer(self.words.popleft())
            case "result":
                return self._finish(RunResult.model_validate_json(body))
            case _:
                self.artifacts[route.removeprefix("artifacts/")] = body
                return web.Response(status=204)

    def _fault(self, request: web.Request, route: str) -> int | None:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return 401
        if self.away:
            return 503
        scripted = self.faults.get(route)
        return scripted.popleft() if scripted else None

    def _claim(self, request: ClaimRequest) -> web.Response:
        if request.run != f"{self.run.job_uid}/{self.run.attempt}":
            return web.json_response({}, status=409)
        self.claims += 1
        now = datetime.now(UTC)
        answer = ClaimAnswer(run=self.run, token=7, server_time=now, leases=self.leases)
        return self._answer(answer)

    def _append(self, batch: EventBatch) -> web.Response:
        known = {event.id for event in self.events}
        new = [event for event in batch.events if event.id not in known]
        self.events += new
        last = max(event.seq for event in self.events)
        return self._answer(
            BatchAnswer(
                accepted=len(new),
                duplicates=len(batch.events) - len(new),
                last_seq=last,
                position=last,
            )
        )

    def _finish(self, result: RunResult) -> web.Response:
        if self.result is not None and self.result != result:
            return web.json_response({}, status=409)
        self.result = result
        return web.Response(status=204)

    def _answer(self, model: Model) -> web.Response:
        found = {**json.loads(model.model_dump_json(by_alias=True)), **self.newer}
        if "run" in found:
            found["run"] = {**found["run"], **self.newer}
        return web.json_response(found)
