"""The routes of the model door, in OpenAI's format, errors too. Only a pod with an open run is served."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from aiohttp import web
from pydantic import ValidationError

from coxswain.api.contract import ProviderError, RunDocument
from coxswain.errors import CoxswainError, UnauthenticatedError
from coxswain.gateway.models import wire
from coxswain.gateway.models.calls import Calls
from coxswain.gateway.models.destinations import RefusedError
from coxswain.gateway.models.errors import ProviderFailedError
from coxswain.gateway.models.wire import ChatRequest, Document
from coxswain.identity.callers import AgentCaller
from coxswain.rules import providers
from coxswain.telemetry import logs
from coxswain.web import denials, problems, request_ids, routes
from coxswain.web.routes import Call

REQUEST_BYTES = 16_777_216
DONE = b"data: [DONE]\n\n"
REFUSALS = tuple(sorted(set(providers.HTTP_STATUS.values())))
CONFIGURATION = (ProviderError.CREDENTIALS_MISSING, ProviderError.NOT_ALLOWED)

log = logs.get(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ModelDoor:
    """The handlers. ``doubt`` hears the uid of an Agent whose configuration refused a call."""

    def __init__(self, calls: Calls, doubt: Callable[[str], None]) -> None:
        self._calls = calls
        self._doubt = doubt

    @routes.route("POST", "/v1/chat/completions", limit=REQUEST_BYTES, errors=REFUSALS)
    async def complete(self, call: Call, caller: AgentCaller, content: bytes) -> web.StreamResponse:
        """Answer a chat, whole or as a stream of events, by a model of the caller's Agent."""
        run = caller.run.document
        request = _read(content)
        try:
            if request.stream:
                return await self._stream(call.request, run, request)
            return web.json_response(await self._calls.complete(run, request))
        except RefusedError as error:
            if error.provider_error in CONFIGURATION:
                self._doubt(run.agent_uid)
            raise

    @routes.route("GET", "/v1/models")
    async def models(self, call: Call, caller: AgentCaller) -> web.StreamResponse:
        """List the aliases that the caller's Agent may call, the first also as ``default``."""
        aliases = [route.alias for route in caller.run.document.models]
        names = [providers.DEFAULT, *aliases] if aliases else []
        data = [_model(name) for name in dict.fromkeys(names)]
        return web.json_response({"object": "list", "data": data})

    async def _stream(
        self, request: web.Request, run: RunDocument, asked: ChatRequest
    ) -> web.StreamResponse:
        async with aclosing(self._calls.stream(run, asked)) as chunks:
            # What fails before the first piece still has a status of its own.
            first = await anext(chunks)
            response = web.StreamResponse(headers=_stream_headers())
            await response.prepare(request)
            await response.write(_event(first))
            try:
                await _write_all(response, chunks)
            except CoxswainError as error:
                log.warning("a stream broke off", code=error.code)
                await response.write(_event(_shape(error)[0]))
        return response


@web.middleware
async def in_openai_format(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refusals in the form that clients of this format read."""
    try:
        return await handler(request)
    except CoxswainError as error:
        await denials.denied(request, error)
        document, status = _shape(error)
        if status >= 500:
            log.warning("a call failed", code=error.code, status=status)
        headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, UnauthenticatedError) else {}
        return web.json_response(document, status=status, headers=headers)


async def _write_all(response: web.StreamResponse, chunks: AsyncGenerator[Document, None]) -> None:
    async for chunk in chunks:
        await response.write(_event(chunk))
    await response.write(DONE)


def _read(content: bytes) -> ChatRequest:
    try:
        return ChatRequest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise ProviderFailedError(
            ProviderError.BAD_REQUEST, f"the request is refused: {place}: {first['msg']}"
        ) from None


def _shape(error: CoxswainError) -> tuple[Document, int]:
    if isinstance(error, RefusedError | ProviderFailedError):
        status = providers.HTTP_STATUS[error.provider_error]
    else:
        status = problems.status_of(error)
    message = error.message if status != 500 else "this is our fault; the log has the request id"
    return wire.error(error.code, message, status), status


def _stream_headers() -> dict[str, str]:
    return {
        "Content-Type": "text/event-stream; charset=utf-8",
        "Cache-Control": "no-store",
        **request_ids.outgoing(),
    }


def _event(document: Document) -> bytes:
    return f"data: {json.dumps(document, separators=(',', ':'))}\n\n".encode()


def _model(name: str) -> Document:
    return {"id": name, "object": "model", "created": 0, "owned_by": "coxswain"}
