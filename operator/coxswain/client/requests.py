"""What is asked of the API and how its answer is read. Pure.

An operation is a route; a request is one with all its words filled in, and may be sent more than once.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import quote
from uuid import uuid4

from coxswain.api.meta import Model
from coxswain.client import errors
from coxswain.client.errors import ClientError, Reply, UnreadableError

A_co = TypeVar("A_co", covariant=True)
T_co = TypeVar("T_co", covariant=True)
CONTENT_TYPE = "application/json"
HARMLESS = frozenset({"GET", "PUT"})
"""Methods whose repeat does nothing a second time."""


class Page(Protocol[T_co]):
    """A page of a list."""

    @property
    def items(self) -> Sequence[T_co]:
        """What is on it."""
        ...

    @property
    def next(self) -> str | None:
        """Where the next one begins."""
        ...


@dataclass(frozen=True)
class Operation(Generic[A_co]):
    """A route; ``answer`` is a model, or bytes where the body is no JSON."""

    method: str
    path: str
    answer: type[A_co]


@dataclass(frozen=True)
class Request(Generic[A_co]):
    """One request."""

    operation: Operation[A_co]
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    """What is None is left out."""
    body: Mapping[str, Any] | None = None
    """What is None in it is left out, at its top only, unless it ``keeps_none``."""
    keeps_none: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    is_harmless: bool = False
    """Whether a repeat does nothing a second time; what only reads always is."""
    more_seconds: float = 0.0
    """So much longer than others its answer may take."""

    @property
    def may_repeat(self) -> bool:
        """Whether it may be sent again after an answer that was lost."""
        return self.is_harmless or self.operation.method in HARMLESS

    @property
    def url(self) -> str:
        """The path, with its words filled in."""
        words = {name: _segment(name, word) for name, word in self.path.items()}
        return self.operation.path.format(**words)

    @property
    def parameters(self) -> dict[str, str]:
        """The query, as text."""
        return {name: _text(value) for name, value in self.query.items() if value is not None}

    @property
    def content(self) -> bytes | None:
        """The body."""
        if self.body is None:
            return None
        given = {
            name: value for name, value in self.body.items() if value is not None or self.keeps_none
        }
        return json.dumps(given, default=_plain).encode()


def read(request: Request[A_co], reply: Reply) -> A_co:
    """The answer as its type. Raises the ClientError that a refusal stands for."""
    if not 200 <= reply.status < 300:
        raise errors.of(reply)
    kind: Any = request.operation.answer
    if kind is bytes:
        return reply.content  # type: ignore[return-value]  # which is what the operation answers
    try:
        found: A_co = kind.of_other_version(json.loads(reply.content))
    except (ValueError, RecursionError) as error:
        raise unreadable(request, str(error)) from error
    return found


def unreadable(request: Request[Any], why: str) -> ClientError:
    """The error for an answer that is none of this API."""
    method, path = request.operation.method, request.operation.path
    return UnreadableError(f"the answer to {method} {path} cannot be read: {why}")


def listing(
    everywhere: Operation[A_co], within: Operation[A_co], workspace: str | None, **query: Any
) -> Request[A_co]:
    """The request for a list: of a workspace, or with None of all that one may see."""
    if workspace is None:
        return Request(everywhere, query=query)
    return Request(within, {"workspace": workspace}, query)


def spec_of(given: Model | Mapping[str, Any]) -> dict[str, Any]:
    """A spec as it is sent, from a type of ``coxswain.api`` or from what YAML holds."""
    if isinstance(given, Model):
        return given.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return dict(given)


def once(key: str | None) -> dict[str, str]:
    """The header under which what is made is made once, however often it is sent."""
    return {"Idempotency-Key": key or f"client-{uuid4().hex}"}


def if_version(version: str | None) -> dict[str, str]:
    """The header that lets a change pass only while the object is of this version."""
    return {} if version is None else {"If-Match": f'"{version}"'}


def _segment(name: str, word: str) -> str:
    """A word as one part of a path, which it cannot leave."""
    if word in ("", ".", ".."):
        raise ValueError(f"{name}: {word!r} names nothing")
    return quote(word, safe="")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _plain(value: Any) -> Any:
    """What JSON has no form for."""
    if isinstance(value, Model):
        return value.to_wire()
    return _text(value)
