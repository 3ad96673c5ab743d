# Made by hack/generate from operator/coxswain/sidecar; do not edit.
"""Answers of the API: result."""

from datetime import datetime
from typing import Any

from coxswain.api.meta import Model


class ResultView(Model):
    """What an attempt posted."""

    attempt: int
    """Which attempt."""
    at: datetime
    """When."""
    status: str
    """Whether it succeeded."""
    answer: str | None = None
    """The answer, or a command's standard output."""
    output: Any = None
    """What the Job's type asks for; it was checked against the type's schema."""
    reason: str | None = None
    """Why it failed, in a word."""
    message: str | None = None
    """Why, in a sentence."""
    exit_code: int | None = None
    """The command's exit code."""
    artifacts: list[str]
    """Files that were kept."""
