"""A job type: what a Job of it takes, who does it, what comes out. Data, never code of the core."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from coxswain.api.image import PLATFORM, ImageOfType
from coxswain.api.job import Retry
from coxswain.api.meta import WITHOUT_NUL, Model, Rule, Text

Schema = dict[str, Any]
Argument = Annotated[str, StringConstraints(max_length=16384, pattern=WITHOUT_NUL)]
Grant = Literal["workspace.report"]


class JobTypeSpec(Model):
    """What the ConfigMap of a type says."""

    RULES: ClassVar = (
        Rule(
            "has(self.prompt) != (has(self.command) || has(self.image))",
            "a type has exactly one handler: prompt, or command, image or both",
            lambda self: (self.prompt is None) != (self.command is None and self.image is None),
        ),
        Rule(
            f"!has(self.image) || self.image != '{PLATFORM}' || has(self.command)",
            f"image {PLATFORM} needs a command",
            lambda self: self.image != PLATFORM or self.command is not None,
        ),
    )

    description: Text | None = None
    """What it does, for people."""
    enabled: bool = True
    """False refuses new Jobs of this type; Jobs that have begun go on."""
    input_schema: Schema
    """JSON Schema 2020-12 of a Job's input."""
    output_schema: Schema | None = None
    """JSON Schema 2020-12 of what comes out; none checks nothing."""
    command: Annotated[list[Argument], Field(min_length=1, max_length=128)] | None = None
    """The program; an argument {{field}} stands for a field of the input."""
    image: ImageOfType | None = None
    """The image that it runs in, by tag or digest; without a command its own entry point does the
    work. Platform is the platform's agent image whatever the Agent's; none takes the Agent's."""
    prompt: (
        Annotated[str, StringConstraints(min_length=1, max_length=65536, pattern=WITHOUT_NUL)]
        | None
    ) = None
    """Or what the Agent's model is asked; {{field}} stands for a field of the input."""
    timeout_seconds: Annotated[int, Field(ge=1, le=604800)] | None = None
    """For Jobs that say none."""
    retry: Retry | None = None
    """For Jobs whose own retry says nothing but the default."""
    grants: Annotated[list[Grant], Field(max_length=8)] = []
    """What its runs may read beyond their own: workspace.report, the numbers of the workspace."""
