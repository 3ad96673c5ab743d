"""A model provider on localhost that speaks OpenAI's and Anthropic's real formats, with scripted faults.

POST /v1/chat/completions is OpenAI's, POST /v1/messages Anthropic's. Each request takes the next of
``script``, or answers with a text when the script is empty.
"""

import asyncio
import json
import re
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from aiohttp import web
from typing_extensions import override

from coxswain.web import request_ids
from tests.support.served import Served

INPUT_TOKENS = 11
OUTPUT_TOKENS = 7


@dataclass(frozen=True)
class Say:
    """Answer with this text; streamed, word by word, with a pause before each."""

    text: str = "hello from upstream"
    pause_seconds: float = 0.0


@dataclass(frozen=True)
class CallTool:
    """Answer with a tool call."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Fail:
    """Answer with an error of the format; {key} in the message becomes the caller's key."""

    status: int
    code: str | None = None
    message: str = "no"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Garbage:
    """Answer 200 with a body that is no JSON."""

    content_type: str = "application/json"
    body: str = "<html>what?"


@dataclass(frozen=True)
class Hang:
    """Take the request and say nothing."""


@dataclass(frozen=True)
class Cut:
    """Begin an answer, then break the connection. ``clean``: end it as if it were whole."""

    clean: bool = False


@dataclass(frozen=True)
class FailMidway:
    """Begin a stream, then send an error as an event."""

    code: str = "server_error"
    message: str = "the model fell over"


Step = Say | CallTool | Fail | Garbage | Hang | Cut | FailMidway

FAULTS: list[tuple[Step, str]] = [
    (Fail(401, "invalid_api_key", "Incorrect API key provided: {key}"), "AUTHENTICATION"),
    (Fail(403, None, "no access for {key}"), "AUTHENTICATION"),
    (Fail(402, None), "PAYMENT"),
    (Fail(429, "insufficient_quota"), "PAYMENT"),
    (Fail(429, "rate_limit_exceeded"), "RATE_LIMITED"),
    (Fail(404, None), "MODEL_NOT_FOUND"),
    (Fail(400, None, "bad field {key}"), "BAD_REQUEST"),
    (Fail(400, "context_length_exceeded", "too long"), "CONTEXT_LENGTH"),
    (Fail(400, None, "prompt is too long: 9 tokens"), "CONTEXT_LENGTH"),
    (Fail(500, None), "UNAVAILABLE"),
    (Fail(503, None), "UNAVAILABLE"),
    (Fail(529, "overloaded_error"), "UNAVAILABLE"),
    (Fail(307, None, headers={"Location": "/elsewhere"}), "BAD_RESPONSE"),
    (Garbage(), "BAD_RESPONSE"),
    (Garbage("text/html"), "BAD_RESPONSE"),
    (Garbage(body='{"ok": true}'), "BAD_RESPONSE"),
    (Hang(), "TIMEOUT"),
    (Cut(), "STREAM_CUT"),
]
"""How a provider fails, and the name of the ProviderError that it is."""


@dataclass
class Provider(Served):
    """The server; ``requests``, ``keys``, ``paths`` and request ``ids`` are what came."""

    RUNNER: ClassVar[dict[str, Any]] = {"shutdown_timeout": 0.1, "handler_cancellation": True}
    script: deque[Step] = field(default_factory=deque)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    aborted: int = 0

    def will(self, *steps: Step) -> None:
        """Script the next answers."""
        self.script.extend(steps)

    @override
    def _application(self) -> web.Application:
        application = web.Application(client_max_size=32 * 1024 * 1024)
        application.router.add_post("/v1/chat/completions", self._openai)
        application.router.add_post("/v1/messages", self._anthropic)
        return application

    async def _openai(self, request: web.Request) -> web.StreamResponse:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return await self._answer(request, key, _OpenAI())

    async def _anthropic(self, request: web.Request) -> web.StreamResponse:
        return await self._answer(request, request.headers.get("x-api-key", ""), _Anthropic())

    async def _answer(
        self, request: web.Request, key: str, form: "_OpenAI | _Anthropic"
    ) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(body)
        self.keys.append(key)
        self.paths.append(request.path)
        self.ids.append(request.headers.get(request_ids.HEADER, ""))
        step = self.script.popleft() if self.script else Say()
        match step:
            case Fail():
                message = step.message.replace("{key}", key)
                document = form.error(step.code, message)
                return web.json_response(document, status=step.status, headers=step.headers)
            case Garbage():
                return web.Response(text=step.body, content_type=step.content_type)
            case Hang():
                await self._hang()
            case _:
                pass
        if body.get("stream"):
            return await self._stream(request, step, form)
        if isinstance(step, Cut):
            return await _half(request)
        assert isinstance(step, Say | CallTool)
        return web.json_response(form.whole(step))

    async def _hang(self) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            self.aborted += 1
            raise

    async def _stream(
        self, request: web.Request, step: Step, form: "_OpenAI | _Anthropic"
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        whole = step if isinstance(step, Say | CallTool) else Say("half of an answer")
        events = form.events(whole)
        if isinstance(step, Cut | FailMidway):
            events = events[: len(events) // 2]
        pause = step.pause_seconds if isinstance(step, Say) else 0
        async for text in _slowly(events, pause):
            await response.write(text.encode())
        if isinstance(step, FailMidway):
            await response.write(form.event_error(step.code, step.message).encode())
        if isinstance(step, Cut) and not step.clean:
            assert request.transport is not None
            request.transport.abort()
            return response
        await response.write_eof()
        return response


async def _slowly(events: Sequence[str], pause_seconds: float) -> AsyncIterator[str]:
    for event in events:
        yield event
        await asyncio.sleep(pause_seconds)


def _words(text: str) -> list[str]:
    """The words with what follows each, so that together they are the text."""
    return re.findall(r"\s*\S+\s*", text)


async def _half(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={"Content-Type": "application/json", "Content-Length": "1000"}
    )
    await response.prepare(request)
    await response.write(b'{"id": "x", "choi')
    assert request.transport is not None
    request.transport.close()
    return response


class _OpenAI:
    """OpenAI's chat format."""

    def whole(self, step: Say | CallTool) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": None}
        if isinstance(step, Say):
            message["content"] = step.text
        else:
            message["tool_calls"] = [{**_function(step), "id": "call_1", "type": "function"}]
        finish = "stop" if isinstance(step, Say) else "tool_calls"
        return {
            **self._head("chat.completion"),
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": self._usage(),
        }

    def events(self, step: Say | CallTool) -> list[str]:
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
        if isinstance(step, Say):
            deltas += [{"content": word} for word in _words(step.text)]
        else:
            function = _function(step)["function"]
            call: dict[str, Any] = {"index": 0, "id": "call_1", "type": "function"}
            empty = {"name": function["name"], "arguments": ""}
            deltas.append({"tool_calls": [{**call, "function": empty}]})
            for piece in _halves(function["arguments"]):
                deltas.append({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
        finish = "stop" if isinstance(step, Say) else "tool_calls"
        head = self._head("chat.completion.chunk")
        choices: list[dict[str, Any]] = [
            {"index": 0, "delta": delta, "finish_reason": None} for delta in deltas
        ]
        choices.append({"index": 0, "delta": {}, "finish_reason": finish})
        documents = [{**head, "choices": [choice]} for choice in choices]
        documents.append({**head, "choices": [], "usage": self._usage()})
        return [*(_data(document) for document in documents), "data: [DONE]\n\n"]

    def error(self, code: str | None, message: str) -> dict[str, Any]:
        return {"error": {"message": message, "type": "error", "code": code, "param": None}}

    def event_error(self, code: str, message: str) -> str:
        return _data(self.error(code, message))

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": "real-model"}

    def _usage(self) -> dict[str, int]:
        return {
            "prompt_tokens": INPUT_TOKENS,
            "completion_tokens": OUTPUT_TOKENS,
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
        }


class _Anthropic:
    """Anthropic's messages format."""

    def whole(self, step: Say | CallTool) -> dict[str, Any]:
        block: dict[str, Any] = {"type": "text", "text": step.text} if isinstance(step, Say) else {}
        if isinstance(step, CallTool):
            block = {
                "type": "tool_use",
                "id": "call_1",
                "name": step.name,
                "input": step.arguments,
            }
        return {**self._head(), "content": [block], "stop_reason": self._stop(step)}

    def events(self, step: Say | CallTool) -> list[str]:
        start: dict[str, Any] = {"type": "text", "text": ""}
        deltas: list[dict[str, Any]]
        if isinstance(step, Say):
            deltas = [{"type": "text_delta", "text": word} for word in _words(step.text)]
        else:
            start = {"type": "tool_use", "id": "call_1", "name": step.name, "input": {}}
            pieces = _halves(json.dumps(step.arguments))
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        end = {"stop_reason": self._stop(step), "stop_sequence": None}
        return [
            self._event("message_start", message={**self._head(), "content": []}),
            self._event("content_block_start", index=0, content_block=start),
            *(self._event("content_block_delta", index=0, delta=delta) for delta in deltas),
            self._event("content_block_stop", index=0),
            self._event("message_delta", delta=end, usage={"output_tokens": OUTPUT_TOKENS}),
            self._event("message_stop"),
        ]

    def error(self, code: str | None, message: str) -> dict[str, Any]:
        return {"type": "error", "error": {"type": code or "error", "message": message}}

    def event_error(self, code: str, message: str) -> str:
        return f"event: error\n{_data(self.error(code, message))}"

    def _event(self, kind: str, **fields: Any) -> str:
        return f"event: {kind}\n{_data({'type': kind, **fields})}"

    def _stop(self, step: Say | CallTool) -> str:
        return "end_turn" if isinstance(step, Say) else "tool_use"

    def _head(self) -> dict[str, Any]:
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "real-model",
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS},
        }


def _function(step: CallTool) -> dict[str, Any]:
    return {"function": {"name": step.name, "arguments": json.dumps(step.arguments)}}


def _halves(text: str) -> list[str]:
    middle = len(text) // 2
    return [text[:middle], text[middle:]]


def _data(document: dict[str, Any]) -> str:
    return f"data: {json.dumps(document)}\n\n"
