"""One model call: the run's route, the provider's answer, one row of usage, whatever happens."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from coxswain.api.agent import Provider
from coxswain.api.contract import ModelRoute, ProviderError, RunDocument
from coxswain.api.tracing import Place
from coxswain.errors import CoxswainError
from coxswain.gateway.models import call_spans, demo, wire
from coxswain.gateway.models.deltas import Voice
from coxswain.gateway.models.destinations import Destination, Destinations, RefusedError
from coxswain.gateway.models.wire import ChatRequest, Counts, Document
from coxswain.rules import providers
from coxswain.store import uuid7
from coxswain.store.usage import Call
from coxswain.telemetry import few, logs, metrics, traces
from coxswain.telemetry.few import Few

OK = "ok"
GONE = "CallerGone"
FAILED = "Failed"
NOTHING = Counts()

log = logs.get(__name__)


class RealProviders(Protocol):
    """What ``upstream.Upstream`` is."""

    async def complete(self, place: Destination, model: str, request: ChatRequest) -> Document:
        """One whole answer."""
        ...

    def stream(
        self, place: Destination, model: str, request: ChatRequest
    ) -> AsyncGenerator[Document, None]:
        """The answer in chunks."""
        ...


@dataclass
class _Meter:
    """What is known of a call so far; becomes its row."""

    run: RunDocument
    route: ModelRoute
    streamed: bool
    started: float
    counts: Counts = NOTHING
    outcome: str = FAILED
    first_seconds: float | None = None
    """From the call to the first piece of a streamed answer."""
    caller: Place | None = None
    """The span of the request, where calls are traced."""
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def heard(self) -> None:
        """A piece of the answer came; the first is measured."""
        if self.first_seconds is None:
            self.first_seconds = time.monotonic() - self.started
            provider = self.route.provider.value
            metrics.MODEL_FIRST_SECONDS.labels(provider).observe(self.first_seconds)

    def row(self) -> Call:
        return Call(
            id=uuid7.new(datetime.now(UTC)),
            workspace=self.run.workspace,
            agent_name=self.run.agent_name,
            job_uid=self.run.job_uid,
            attempt=self.run.attempt,
            alias=self.route.alias,
            provider=self.route.provider.value,
            model=self.route.model,
            milliseconds=int((time.monotonic() - self.started) * 1000),
            streamed=self.streamed,
            outcome=self.outcome,
            input_tokens=self.counts.input_tokens,
            output_tokens=self.counts.output_tokens,
        )


class Calls:
    """Answers the calls of all runs; one for the process."""

    def __init__(
        self,
        destinations: Destinations,
        upstream: RealProviders,
        record: Callable[[Call], Awaitable[None]],
        voice: Callable[[RunDocument], Voice],
    ) -> None:
        self._destinations = destinations
        self._voice = voice
        self._upstream = upstream
        self._record = record
        self._workspaces = Few(few.MOST_WORKSPACES)

    async def complete(self, run: RunDocument, request: ChatRequest) -> Document:
        """One whole answer. Raises RefusedError and ProviderFailedError."""
        meter = self._meter(run, request)
        try:
            place = await self._place(meter)
            answer = await self._answer(place, meter.route, request)
            meter.counts = wire.counts(answer) or NOTHING
            meter.outcome = OK
        except CoxswainError as error:
            meter.outcome = error.code
            raise
        except (asyncio.CancelledError, GeneratorExit):
            meter.outcome = GONE
            raise
        finally:
            await self._close(meter)
        return answer

    async def stream(
        self, run: RunDocument, request: ChatRequest
    ) -> AsyncGenerator[Document, None]:
        """The answer in chunks; its row is written before the caller hears that it is whole."""
        meter = self._meter(run, request)
        voice = self._voice(run)
        try:
            place = await self._place(meter)
            async with aclosing(self._chunks(place, meter.route, request)) as chunks:
                async for chunk in chunks:
                    meter.counts = wire.counts(chunk) or meter.counts
                    meter.heard()
                    voice.say(wire.said(chunk))
                    if chunk.get("choices") or request.wants_usage:
                        yield chunk
            meter.outcome = OK
        except CoxswainError as error:
            meter.outcome = error.code
            raise
        except (asyncio.CancelledError, GeneratorExit):
            meter.outcome = GONE
            raise
        finally:
            voice.end()
            await self._close(meter)

    def _meter(self, run: RunDocument, request: ChatRequest) -> _Meter:
        route = providers.pick(run.models, request.model)
        if route is None:
            known = ", ".join([providers.DEFAULT, *(each.alias for each in run.models)])
            raise RefusedError(
                "ModelNotListed",
                ProviderError.NOT_ALLOWED,
                f"{request.model} is none of this agent's models; it may call: {known}",
            )
        return _Meter(run, route, request.stream, time.monotonic(), caller=traces.current())

    async def _place(self, meter: _Meter) -> Destination:
        self._destinations.check_chain(meter.run.models)
        return await self._destinations.find(meter.run.workspace, meter.route)

    async def _answer(
        self, place: Destination, route: ModelRoute, request: ChatRequest
    ) -> Document:
        if place.provider is Provider.DEMO:
            return demo.answer(request, *_identity())
        return await self._upstream.complete(place, route.model, request)

    async def _chunks(
        self, place: Destination, route: ModelRoute, request: ChatRequest
    ) -> AsyncGenerator[Document, None]:
        if place.provider is Provider.DEMO:
            for chunk in demo.chunks(request, *_identity()):
                yield chunk
            return
        async with aclosing(self._upstream.stream(place, route.model, request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _close(self, meter: _Meter) -> None:
        """Write the row; a caller that went away cancels us, and the row is written all the same."""
        row = meter.row()
        metrics.MODEL_CALLS.labels(row.provider, row.outcome).inc()
        metrics.MODEL_CALL_SECONDS.labels(row.provider).observe(row.milliseconds / 1000)
        where = self._workspaces.label(row.workspace), row.provider
        metrics.MODEL_TOKENS.labels(*where, "input").inc(row.input_tokens or 0)
        metrics.MODEL_TOKENS.labels(*where, "output").inc(row.output_tokens or 0)
        log.info(
            "model call",
            workspace=row.workspace,
            job_uid=row.job_uid,
            attempt=row.attempt,
            provider=row.provider,
            model=row.model,
            streamed=row.streamed,
            outcome=row.outcome,
            milliseconds=row.milliseconds,
        )
        if meter.caller is not None:
            traces.ended(call_spans.of(row, meter.caller, meter.began, meter.first_seconds))
        await asyncio.shield(asyncio.ensure_future(self._record(row)))


def _identity() -> tuple[str, int]:
    now = datetime.now(UTC)
    return f"chatcmpl-{uuid7.new(now).hex}", int(now.timestamp())
