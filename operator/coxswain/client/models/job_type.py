# Made by hack/generate from operator/coxswain/sidecar; do not edit.
"""Answers of the API: job type."""

from typing import Any

from pydantic import Field

from coxswain.api.meta import Model
from coxswain.client.models.job import Retry


class JobTypeSpec(Model):
    """What the ConfigMap of a type says."""

    description: str | None = None
    """What it does, for people."""
    enabled: bool = True
    """False refuses new Jobs of this type; Jobs that have begun go on."""
    input_schema: dict[str, Any]
    """JSON Schema 2020-12 of a Job's input."""
    output_schema: dict[str, Any] | None = None
    """JSON Schema 2020-12 of what comes out; none checks nothing."""
    command: list[str] | None = None
    """The program; an argument {{field}} stands for a field of the input."""
    image: str | None = None
    """The image that it runs in, by tag or digest; without a command its own entry point does the
    work. Platform is the platform's agent image whatever the Agent's; none takes the Agent's.
    """
    prompt: str | None = None
    """Or what the Agent's model is asked; {{field}} stands for a field of the input."""
    timeout_seconds: int | None = None
    """For Jobs that say none."""
    retry: Retry | None = None
    """For Jobs whose own retry says nothing but the default."""
    grants: list[str] = Field(default_factory=list)
    """What its runs may read beyond their own: workspace.report, the numbers of the workspace."""
