"""Calls to real providers through any-llm. Nothing of a library's errors leaves this file.

A provider's words may repeat the key, so errors are translated without their cause, and only the
words that ``rules.providers`` quotes go on.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from any_llm import AnyLLM
from any_llm.exceptions import AnyLLMError
from pydantic import BaseModel, ValidationError

from coxswain.api.agent import Provider
from coxswain.api.contract import ProviderError
from coxswain.gateway.models import faults, wire
from coxswain.gateway.models.destinations import Destination
from coxswain.gateway.models.errors import ProviderFailedError
from coxswain.gateway.models.wire import ChatRequest, Document
from coxswain.gateway.outbound import clients
from coxswain.gateway.outbound.dialing import Dialer
from coxswain.rules import addresses, providers
from coxswain.rules.providers import Failure, Fault
from coxswain.web import request_ids

NO_KEY = "none"
ANTHROPIC_MAX_TOKENS = 8192

# What any-llm takes by name; other fields are the provider's own and go along in the body.
_NAMED = frozenset(
    {
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "prompt_cache_key",
        "reasoning_effort",
        "response_format",
        "seed",
        "service_tier",
        "stop",
        "temperature",
        "tool_choice",
        "top_logprobs",
        "top_p",
        "user",
    }
)


class _NotADocument(Exception):  # noqa: N818 - never leaves this file
    """The library answered with something that is no message."""


class Upstream:
    """Real providers; one for the whole process."""

    def __init__(self, *, read_seconds: float, total_seconds: float) -> None:
        self._total_seconds = total_seconds
        self._clients = {
            listed: clients.client(
                Dialer(policy), read_seconds=read_seconds, marks=request_ids.outgoing
            )
            for listed, policy in ((False, addresses.PUBLIC), (True, addresses.ANYWHERE))
        }

    async def close(self) -> None:
        """Close all connections."""
        for each in self._clients.values():
            await each.aclose()

    async def complete(self, place: Destination, model: str, request: ChatRequest) -> Document:
        """One whole answer. Raises ProviderFailedError."""
        try:
            async with asyncio.timeout(self._total_seconds):
                document = _document(await self._call(place, model, request, stream=False))
        except _CAUGHT as error:
            raise _failed(faults.of(error), place) from None
        if not document.get("choices"):
            raise _failed(Failure(Fault.GARBAGE), place)
        return document

    async def stream(
        self, place: Destination, model: str, request: ChatRequest
    ) -> AsyncGenerator[Document, None]:
        """The answer in chunks, the counts in the last. Raises ProviderFailedError, also midway."""
        until = asyncio.get_running_loop().time() + self._total_seconds
        begun = finished = False
        chunks: Any = None
        try:
            async with asyncio.timeout_at(until):
                chunks = await self._call(place, model, request, stream=True)
            # The clock stands around each step, not around the reader's own time.
            while (document := await _next(chunks, until)) is not None:
                begun, finished = True, finished or wire.has_finished(document)
                yield document
        except _CAUGHT as error:
            raise _failed(faults.of(error), place) from None
        finally:
            if chunks is not None:
                await chunks.aclose()
        if not finished:
            raise _failed(Failure(Fault.CUT if begun else Fault.GARBAGE), place)

    async def _call(
        self, place: Destination, model: str, request: ChatRequest, *, stream: bool
    ) -> Any:
        client = AnyLLM.create(
            place.provider.value,
            api_key=place.key or NO_KEY,
            api_base=place.url,
            unified_exceptions=True,
            max_retries=0,
            http_client=self._clients[place.listed],
        )
        return await client.acompletion(
            model,
            list(request.messages),
            tools=request.tools or None,
            stream=stream,
            **_options(place.provider, request, stream=stream),
        )


_CAUGHT = (AnyLLMError, ValidationError, NotImplementedError, TimeoutError, _NotADocument)


def _options(provider: Provider, request: ChatRequest, *, stream: bool) -> Document:
    named = {name: value for name, value in request.options.items() if name in _NAMED}
    foreign = {name: value for name, value in request.options.items() if name not in _NAMED}
    if provider is Provider.ANTHROPIC:
        if foreign:
            raise ProviderFailedError(
                ProviderError.BAD_REQUEST,
                f"{provider} has nothing like these fields: {', '.join(sorted(foreign))}",
            )
        if "max_completion_tokens" in named:
            named["max_tokens"] = named.pop("max_completion_tokens")
        return {"max_tokens": ANTHROPIC_MAX_TOKENS} | named
    if foreign:
        named["extra_body"] = foreign
    if stream:
        named["stream_options"] = {"include_usage": True}
    return named


async def _next(chunks: Any, until: float) -> Document | None:
    async with asyncio.timeout_at(until):
        try:
            return _document(await anext(chunks))
        except StopAsyncIteration:
            return None


def _document(answer: object) -> Document:
    if not isinstance(answer, BaseModel):
        raise _NotADocument
    return answer.model_dump(mode="json", exclude_none=True)


def _failed(failure: Failure, place: Destination) -> ProviderFailedError:
    code = providers.classify(failure)
    return ProviderFailedError(code, providers.explain(code, failure, place.key))
