"""Places in lists, as opaque text: what ``next`` gives and ``cursor`` takes."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from coxswain.errors import UserError
from coxswain.web import problems

BETWEEN = " "
A = TypeVar("A")
B = TypeVar("B")


def write(first: object, second: object) -> str:
    """A place by its two parts, of which the first has no space."""
    texts = [
        each.isoformat() if isinstance(each, datetime) else str(each) for each in (first, second)
    ]
    return base64.urlsafe_b64encode(BETWEEN.join(texts).encode()).decode().rstrip("=")


def read(text: str, first: Callable[[str], A], second: Callable[[str], B]) -> tuple[A, B]:
    """The parts of a place that ``write`` wrote down, each as its kind. Raises UserError malformed."""
    try:
        plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        one, two = plain.split(BETWEEN, 1)
        return first(one), second(two)
    except (ValueError, OverflowError) as error:
        raise UserError(
            "this is no cursor of ours", code=problems.MALFORMED, field="query.cursor"
        ) from error


def instant(text: str) -> datetime:
    """An instant, in UTC. Raises ValueError, OverflowError."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(text)
    return at.astimezone(UTC)


def uuid(text: str) -> str:
    """An id. Raises ValueError."""
    return str(UUID(text))


def word(text: str) -> str:
    """A name. Raises ValueError for what the records cannot hold."""
    if not text.isprintable() or not text.isascii():
        raise ValueError(text)
    return text
