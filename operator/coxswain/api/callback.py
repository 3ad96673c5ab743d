"""Where a Job's end is told to, and in which words. ``docs/callbacks.md`` is the page for people."""

from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints

from coxswain.api.job import Instant, JobPhase, JobResult
from coxswain.api.meta import Model

VERSION = 1
ENDS: list[JsonValue] = ["Succeeded", "Failed", "Cancelled"]


class JobEnd(Model):
    """How a Job ended."""

    id: str
    """The Job's uid."""
    workspace: str
    """Its namespace."""
    name: str
    """Its name."""
    phase: Annotated[JobPhase, Field(json_schema_extra={"enum": ENDS})]
    """Succeeded, Failed or Cancelled."""
    reason: str | None = None
    """Why, in one word."""
    message: str | None = None
    """Why, in a sentence."""
    result: JobResult | None = None
    """What came out, in short; the whole is in the records."""
    attempts: Annotated[int, Field(ge=0)] = 0
    """Attempts that were made."""
    attempts_used: Annotated[int, Field(ge=0)] = 0
    """Attempts that count towards retry.maxAttempts."""
    created_at: Instant
    """When the Job was made, RFC 3339."""
    started_at: Instant | None = None
    """When its first attempt ran."""
    finished_at: Instant
    """When it ended."""


class CallbackMessage(Model):
    """The body of a callback. A version only grows: ignore fields that you do not know."""

    version: Annotated[int, Field(ge=1)] = VERSION
    """Version of this form."""
    type: Annotated[str, StringConstraints(pattern=r"^job\.(succeeded|failed|cancelled)$")]
    """What happened."""
    timestamp: Instant
    """When it happened, RFC 3339; the time of sending is in the headers."""
    data: JobEnd
    """How the Job ended."""
