"""What people and this API say to each other about job types."""

from typing import Annotated, Literal

from pydantic import Field

from coxswain.api.image import ImageOfType
from coxswain.api.job import Retry, TypeName
from coxswain.api.job_type import Argument, Grant, JobTypeSpec, Schema
from coxswain.api.meta import Model, Text
from coxswain.sidecar.wire import WorkspacePath


class TypePath(WorkspacePath):
    """Names a job type."""

    name: TypeName
    """Its name."""


class NewJobType(Model):
    """A job type as it is made."""

    name: TypeName
    """Its name, as in a Job's ``type``."""
    spec: JobTypeSpec


class JobTypeChange(Model):
    """What is to be another; what is left out stays."""

    description: Text | None = None
    """What it does, for people."""
    enabled: bool | None = None
    """False refuses new Jobs of this type."""
    input_schema: Schema | None = None
    """JSON Schema 2020-12 of a Job's input."""
    output_schema: Schema | None = None
    """JSON Schema 2020-12 of what comes out."""
    command: Annotated[list[Argument], Field(min_length=1, max_length=128)] | None = None
    """The program, in place of any prompt."""
    image: ImageOfType | None = None
    """The image that it runs in, in place of any prompt."""
    prompt: Annotated[str, Field(min_length=1, max_length=65536)] | None = None
    """What the model is asked, in place of any command and image."""
    timeout_seconds: Annotated[int, Field(ge=1, le=604800)] | None = None
    """For Jobs that say none."""
    retry: Retry | None = None
    """For Jobs whose own retry says nothing but the default."""
    grants: Annotated[list[Grant], Field(max_length=8)] | None = None
    """What its runs may read beyond their own."""


class JobTypeView(Model):
    """A job type as people read it."""

    name: str
    """Its name."""
    workspace: str
    """Where."""
    origin: Literal["BuiltIn", "Workspace"]
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
