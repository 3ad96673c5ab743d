"""Where a Job stands in a trace: ids that whoever knows the Job can tell, so that nobody has to pass them on.

A Job that was made in the trace of a request is in that one, by its annotation; any other is the root of
one whose id is its uid. Ids of spans are hashes of what they stand for. Pure.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from coxswain import names

_HEADER = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$")
NOBODY = 0


@dataclass(frozen=True)
class Place:
    """A span: in which trace, which one, and below which; 0 where it is the root."""

    trace: int
    span: int
    parent: int = NOBODY

    @property
    def header(self) -> str:
        """W3C Trace Context for what this span causes."""
        return f"00-{self.trace:032x}-{self.span:016x}-01"

    def child(self, *parts: object) -> "Place":
        """The one span of these words below this one."""
        text = "\x1f".join(str(part) for part in (f"{self.trace:032x}", *parts))
        digest = hashlib.sha256(text.encode()).digest()
        return Place(self.trace, int.from_bytes(digest[:8], "big") or 1, self.span)


def read(header: str | None) -> Place | None:
    """Whom a header names; None for one that is not of W3C Trace Context."""
    found = _HEADER.match(header or "")
    if found is None:
        return None
    trace, span = (int(part, 16) for part in found.groups())
    return Place(trace, span) if trace and span else None


def of_job(metadata: Mapping[str, object]) -> Place:
    """The span of a Job's whole life, by the metadata of the object."""
    uid = str(metadata["uid"])
    annotations = metadata.get("annotations")
    given = (
        annotations.get(names.ANNOTATION_TRACEPARENT) if isinstance(annotations, Mapping) else None
    )
    caller = read(given if isinstance(given, str) else None)
    root = caller or Place(UUID(uid).int, NOBODY)
    return root.child("job", uid)


def of_attempt(job: Place, number: int) -> Place:
    """The span of an attempt: what its program causes is below it."""
    return job.child("attempt", number)
