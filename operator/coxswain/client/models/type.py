# Made by hack/generate from operator/coxswain/sidecar; do not edit.
"""Answers of the API: type."""

from coxswain.api.meta import Model
from coxswain.client.models.job_type import JobTypeSpec


class JobTypeView(Model):
    """A job type as people read it."""

    name: str
    """Its name."""
    workspace: str
    """Where."""
    origin: str
    """Whether a ConfigMap of the workspace says something about it."""
    version: str | None = None
    """The ConfigMap's resourceVersion; the ETag is this in quotes."""
    spec: JobTypeSpec | None = None
    """What it says."""
    problem: str | None = None
    """Or why it is wrong; Jobs of it are refused with the same words."""


class JobTypeList(Model):
    """All types of a workspace, by name."""

    items: list[JobTypeView]
