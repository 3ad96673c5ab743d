"""The agent contract: what a pod says about its own run. docs/contract.md is the page for people."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web

from coxswain.api.contract import (
    ARTIFACT_BYTES,
    ActRequest,
    BatchAnswer,
    CallAnswer,
    CallRequest,
    ClaimAnswer,
    ClaimRequest,
    EventBatch,
    HeartbeatAnswer,
    ModelRoute,
    RunDocument,
    RunEvent,
    RunResult,
)
from coxswain.api.event_type import Writer
from coxswain.errors import CoxswainError, UserError
from coxswain.identity.callers import AgentCaller, PodCaller
from coxswain.rules import job_types
from coxswain.sidecar import event_checks, fenced, tool_spans, writing
from coxswain.sidecar.artifact_store import ArtifactStore
from coxswain.sidecar.wire import RunArtifactPath
from coxswain.store import calls, claims, reports, runs, uuid7
from coxswain.store.pool import Store
from coxswain.store.runs import RunKey
from coxswain.web.auditing import Kept
from coxswain.web.routes import Call, route

LARGE_BYTES = 8_388_608
HIDDEN = frozenset({"models", "approvals", "requester"})
"""Of the run's document, what its pod reads in another form or not at all."""

T = TypeVar("T")


class RunRoutes:
    """Routes for agent pods."""

    def __init__(self, store: Store, files: ArtifactStore) -> None:
        self._store = store
        self._files = files

    @route("POST", "/v1/run/claim", errors=(404, 409), kept=Kept.WITH)
    async def claim_run(
        self, call: Call, caller: PodCaller, body: ClaimRequest
    ) -> ClaimAnswer | web.Response:
        """Claim the run: the pod's first call.

        The same pod may claim again. 404 run_unknown, 403 run_of_another, 409 run_taken or
        run_closed: end before any user code.
        """
        uid, _, attempt = body.run.partition("/")
        key = RunKey(uid, int(attempt))
        run = await self._store.transact(claims.claim, key, caller.pod)
        if run.heartbeat_at is None:
            raise CoxswainError("a claimed run has no time of its claim")
        answer = ClaimAnswer(
            run=_for_pod(run.document),
            token=run.token,
            server_time=run.heartbeat_at,
            last_seq=run.last_seq,
            leases=run.leases,
        ).to_wire()
        written = await self._store.run(runs.written, key)
        # What only a newer operator knows is for the pod to read, whose program is as new.
        shown = {name: value for name, value in written.items() if name not in HIDDEN}
        return web.json_response({**answer, "run": {**answer["run"], **shown}})

    @route("POST", "/v1/run/events", limit=LARGE_BYTES, errors=(409, 413), kept=Kept.ELSEWHERE)
    async def append_run_events(
        self, call: Call, caller: AgentCaller, body: EventBatch
    ) -> BatchAnswer:
        """Append a batch of events; repeats are harmless.

        409 lease_lost where a lease of the run was given to somebody else, here and below.
        """
        for place, event in enumerate(body.events):
            _check(event, f"events.{place}")
        reported = await self._write(call, reports.append_run_events, caller, body.events)
        if reported.accepted:
            tool_spans.tell(call.header("traceparent"), body.events)
        return BatchAnswer(
            accepted=reported.accepted,
            duplicates=reported.duplicates,
            last_seq=reported.last_seq,
            position=reported.position,
        )

    @route("POST", "/v1/run/heartbeat", kept=Kept.ELSEWHERE)
    async def heartbeat(self, call: Call, caller: AgentCaller) -> HeartbeatAnswer:
        """Say that the run lives, and hear whether it should end."""
        return HeartbeatAnswer(cancel=await self._write(call, claims.heartbeat, caller))

    @route("POST", "/v1/run/acts", status=204, errors=(409,), kept=Kept.WITH)
    async def record_act(self, call: Call, caller: AgentCaller, body: ActRequest) -> None:
        """Say that an act with side effects begins, or has ended."""
        if body.phase == "begin":
            await self._write(call, reports.begin_act, caller, body.id, body.name)
        else:
            await self._write(call, reports.end_act, caller, body.id)

    @route("POST", "/v1/run/approvals", kept=Kept.ELSEWHERE)
    async def ask_about_call(
        self, call: Call, caller: AgentCaller, body: CallRequest
    ) -> CallAnswer:
        """Ask people to agree to a call of a tool; the same again asks how far they are.

        422 approvals_not_set where the Agent names nobody.
        """
        found = await self._write(call, calls.ask, caller, body)
        left = (found.until - found.now).total_seconds()
        return CallAnswer(
            state=found.judged.state,
            message=found.judged.message,
            hash=found.hash,
            seconds_left=max(0.0, left),
        )

    @route("PUT", "/v1/run/artifacts/{artifact}", limit=ARTIFACT_BYTES, status=204, errors=(409,))
    async def put_artifact(
        self, call: Call, caller: AgentCaller, path: RunArtifactPath, content: bytes
    ) -> None:
        """Keep a file of the run; the same again is harmless, another content is refused."""
        tokens = fenced.of_run(call)
        with writing.at_the_door():
            await self._files.put(
                caller.pod.uid,
                path.artifact,
                call.request.content_type,
                content,
                tokens=tokens,
            )

    @route("POST", "/v1/run/result", limit=LARGE_BYTES, status=204, errors=(409,), kept=Kept.WITH)
    async def post_result(self, call: Call, caller: AgentCaller, body: RunResult) -> None:
        """Post the one result; the same again is harmless, another one is refused.

        A success whose output does not fit the Job's type is kept as a failure: OutputInvalid.
        """
        schema = caller.run.document.output_schema
        counts = await asyncio.to_thread(job_types.check_output, body, schema)
        await self._write(call, reports.post_result, caller, counts)

    async def _write(
        self,
        call: Call,
        operation: Callable[..., Awaitable[T]],
        caller: AgentCaller,
        *args: object,
    ) -> T:
        """Write for the run, under the leases that the request names beside its own."""
        tokens, pod = fenced.of_run(call), caller.pod.uid
        with writing.at_the_door():
            return await self._store.transact(claims.under, tokens, operation, pod, *args)


def _check(event: RunEvent, place: str) -> None:
    if not uuid7.is_random(event.id):
        raise UserError("send a UUIDv7", field=f"{place}.id")
    event_checks.check(Writer.RUN, event.type, event.event_version, event.details, place=place)


def _for_pod(document: RunDocument) -> RunDocument:
    """The run as its pod may see it: how models are reached is the model gateway's business, and
    who may agree to what is the platform's.
    """
    models = [
        ModelRoute(alias=model.alias, provider=model.provider, model=model.model)
        for model in document.models
    ]
    return document.model_copy(update={"models": models, "approvals": None, "requester": None})
