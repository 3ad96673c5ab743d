"""When a person looks at what an attempt came to, and what that person says."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from coxswain.api.meta import Caller, Model, Text


class Review(Model):
    """Who decides where an attempt's end does not: a person, or a rule."""

    required: bool = False
    """True: an attempt that succeeded counts only once a person has said so."""
    on_unknown: Literal["Ask", "Retry", "Fail"] = "Ask"
    """What follows when it is not known whether a side effect was done. Ask: a person decides.
    Retry: another attempt, as long as retry.maxAttempts allows one. Fail: the Job fails."""


class Verdict(StrEnum):
    """What a person may decide about a Job in Review."""

    RETRY = "retry"
    SUCCEED = "succeed"
    FAIL = "fail"
    CANCEL = "cancel"


class ReviewDecision(Model):
    """The annotation coxswain.dev/review, as JSON: written by people, or by the API for them."""

    attempt: Annotated[int, Field(ge=1)]
    """The attempt that was looked at; a decision about another one counts for nothing."""
    decision: Verdict
    """What follows."""
    by: Caller
    """Who decides."""
    why: Text = ""
    """Why."""
    at: Annotated[str, StringConstraints(max_length=40)] | None = None
    """When, RFC 3339; the API says so."""
