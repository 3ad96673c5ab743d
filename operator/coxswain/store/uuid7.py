"""Ids that sort by time: the first 48 bits are milliseconds, so an id names its partition of the log.

Two sorts, told apart by the version digit. 7 is made at random, by anybody. 8 is derived from what
it stands for, so that doing a thing twice gives one id; only the platform derives, and its doors
refuse version 8 from outside, so nobody can take an id before its owner does.
"""

import hashlib
import secrets
from datetime import UTC, datetime
from uuid import UUID

_VARIANT = 0b10 << 62
_RANDOM = (1 << 12) - 1
_TAIL = (1 << 62) - 1
RANDOM_VERSION = 7
DERIVED_VERSION = 8


def new(at: datetime) -> UUID:
    """A random id of this instant."""
    return _build(at, RANDOM_VERSION, secrets.randbits(74))


def derived(at: datetime, *parts: object) -> UUID:
    """The one id of this instant and these words, whoever asks and how often."""
    text = "\x1f".join(str(part) for part in parts)
    digest = hashlib.sha256(text.encode()).digest()
    return _build(at, DERIVED_VERSION, int.from_bytes(digest[:10], "big"))


def time_of(value: UUID) -> datetime:
    """The instant inside an id, to the millisecond."""
    return datetime.fromtimestamp((value.int >> 80) / 1000, tz=UTC)


def is_random(value: UUID) -> bool:
    """Whether this is a UUIDv7: the only sort that is taken from outside."""
    return value.version == RANDOM_VERSION


def _build(at: datetime, version: int, noise: int) -> UUID:
    milliseconds = int(at.timestamp() * 1000) & ((1 << 48) - 1)
    head = (version << 12) | (noise >> 62 & _RANDOM)
    return UUID(int=(milliseconds << 80) | (head << 64) | _VARIANT | (noise & _TAIL))
