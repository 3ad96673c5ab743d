"""Requests become types, or are refused with the place that is wrong. Nothing unknown passes."""

import asyncio
from typing import NamedTuple, TypeVar

from aiohttp import web
from pydantic import ValidationError

from coxswain.api.meta import Model, is_workspace
from coxswain.errors import UserError
from coxswain.telemetry import pool_metrics
from coxswain.web import problems

BODY_BYTES = 1_048_576
SHOWN = 5
M = TypeVar("M", bound=Model)


class Pace(NamedTuple):
    """How slowly a body may come."""

    patience_seconds: float = 20.0
    bytes_per_second: int = 16_384
    """Each so many bytes give a second more."""


PACE: web.AppKey[Pace] = web.AppKey("pace", Pace)


async def raw(request: web.Request, limit: int) -> bytes:
    """The whole body. Raises UserError too_large before it is read whole, body_too_slow while it is."""
    if request.content_length is not None and request.content_length > limit:
        raise _too_large(limit)
    parts: list[bytes] = []
    size, pace = 0, request.app.get(PACE, Pace())
    least = asyncio.get_running_loop().time() + pace.patience_seconds
    try:
        async with asyncio.timeout_at(least) as patience:
            async for part in request.content.iter_any():
                size += len(part)
                if size > limit:
                    raise _too_large(limit)
                parts.append(part)
                patience.reschedule(least + size / pace.bytes_per_second)
    except TimeoutError:
        raise _too_slow(size, pace) from None
    return b"".join(parts)


async def body(request: web.Request, model: type[M], limit: int) -> M:
    """The body as a type; no body at all is an empty object."""
    if request.content_type not in {"application/json", "application/octet-stream"}:
        raise UserError("send application/json", code=problems.UNSUPPORTED_TYPE)
    data = await raw(request, limit)
    try:
        return model.model_validate_json(data or b"{}")
    except ValidationError as error:
        raise refusal(error) from error


async def nothing(request: web.Request) -> None:
    """Refuse a body where none is read; an empty object is as good as none."""
    if (await raw(request, BODY_BYTES)).strip() not in {b"", b"{}"}:
        raise UserError("this route takes no body", field="body")


def query(request: web.Request, model: type[M]) -> M:
    """The query parameters as a type; each at most once."""
    return _strings(
        dict(request.query), model, [name for name, _ in request.query.items()], "query."
    )


def path(request: web.Request, model: type[M]) -> M:
    """The variable parts of the path as a type."""
    return _strings(dict(request.match_info), model, [], "path.")


def workspace(request: web.Request) -> str | None:
    """The workspace that the path names, if it names one, for who has to know it before the rest is read.

    Raises UserError where no namespace has such a name.
    """
    given = request.match_info.get("workspace")
    if given is not None and not is_workspace(given):
        text = "no namespace has this name; it is 1 to 63 of a-z, 0-9 and -, and - neither first nor last"
        raise UserError(text, field="path.workspace")
    return given


def refusal(error: ValidationError, prefix: str = "") -> UserError:
    """Say where and why; the first places by name, all of them counted."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    if found[0]["type"] == "json_invalid":
        return UserError(f"this is not JSON: {found[0]['msg']}", code=problems.MALFORMED)
    places = [prefix + ".".join(str(part) for part in each["loc"]) for each in found]
    lines = [f"{place}: {each['msg']}" for place, each in zip(places, found, strict=True)]
    more = f" (and {len(lines) - SHOWN} more)" if len(lines) > SHOWN else ""
    return UserError("; ".join(lines[:SHOWN]) + more, field=places[0] or None)


def _strings(given: dict[str, str], model: type[M], names: list[str], prefix: str) -> M:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UserError("give it once", field=prefix + twice)
    dirty = next((name for name, text in given.items() if "\0" in text), None)
    if dirty is not None:
        raise UserError("the character NUL is in no value", field=prefix + dirty)
    try:
        return model.model_validate_strings(given)
    except ValidationError as error:
        raise refusal(error, prefix) from error


def _too_large(limit: int) -> UserError:
    return UserError(f"the body is larger than {limit} bytes", code=problems.TOO_LARGE)


def _too_slow(size: int, pace: Pace) -> UserError:
    pool_metrics.SLOW_SENDERS.inc()
    text = (
        f"{size} bytes of the body came; it may take {pace.patience_seconds:g} s, and a second more for"
        f" each {pace.bytes_per_second} bytes"
    )
    return UserError(text, code=problems.TOO_SLOW)
