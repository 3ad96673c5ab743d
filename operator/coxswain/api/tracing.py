"""Where a Job stands in a trace: ids that whoever knows the Job can tell, so that nobody has to keep them.

A Job that was made in the trace of a request is in that one, by its annotation; any other is the root of
one whose id is its uid. Ids of spans are hashes of what they stand for. Pure.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from coxswain import names

# Version 00 of W3C Trace Context, which is what we write ourselves.
_HEADER = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_SAMPLED = 1
NOBODY = 0


@dataclass(frozen=True, slots=True)
class Place:
    """A span: in which trace, which one, and below which; 0 where it is the root."""

    trace: int
    span: int
    parent: int = NOBODY
    is_sampled: bool = True
    """Whether the trace is kept: whoever began it has decided for all."""

    @property
    def header(self) -> str:
        """The traceparent for what this span causes."""
        return f"00-{self.trace:032x}-{self.span:016x}-{int(self.is_sampled):02x}"

    def child(self, *parts: object) -> "Place":
        """The one span of these words below this one."""
        text = "\x1f".join((f"{self.trace:032x}", *map(str, parts)))
        digest = hashlib.sha256(text.encode()).digest()
        return replace(self, span=int.from_bytes(digest[:8], "big") or 1, parent=self.span)


def read(header: str | None) -> Place | None:
    """Whom a traceparent names; None for one that is none."""
    found = _HEADER.fullmatch(header or "")
    if found is None:
        return None
    trace, span, flags = (int(part, 16) for part in found.groups())
    return Place(trace, span, is_sampled=bool(flags & _SAMPLED)) if trace and span else None


def of_job(uid: str, annotations: Mapping[str, str]) -> Place:
    """The span of a Job's whole life."""
    caller = read(annotations.get(names.ANNOTATION_TRACEPARENT))
    return (caller or Place(UUID(uid).int, NOBODY)).child("job", uid)


def of_attempt(job: Place, number: int) -> Place:
    """The span of an attempt: what its program causes is below it."""
    return job.child("attempt", number)


def of_start(job: Place, number: int) -> Place:
    """The span of the start of an attempt's pod."""
    return job.child("start", number)
