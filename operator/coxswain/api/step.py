"""The steps of one Job: they run in one pod, one after the other, in the order of their list."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from coxswain.api.meta import WITHOUT_NUL, ListMap, Model, Rule

MOST_STEPS = 16
Prompt = Annotated[str, StringConstraints(min_length=1, max_length=65536, pattern=WITHOUT_NUL)]
Command = Annotated[
    list[Annotated[str, StringConstraints(max_length=16384, pattern=WITHOUT_NUL)]],
    Field(min_length=1, max_length=128),
]
StepName = Annotated[
    str, StringConstraints(min_length=1, max_length=40, pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
]


class StepDependency(Model):
    """A step above that has to end first."""

    name: StepName
    """Its name."""
    on_failure: Literal["Skip", "Ignore"] = "Skip"
    """What follows where it failed or was skipped. Skip: this step is skipped too. Ignore: its end
    is enough."""


class Step(Model):
    """One step. It finds what the steps before it left in the workspace."""

    RULES: ClassVar = (
        Rule(
            "has(self.prompt) != has(self.command)",
            "a step has exactly one of prompt and command",
            lambda self: (self.prompt is None) != (self.command is None),
        ),
    )

    name: StepName
    """How events, files and other steps call it."""
    prompt: Prompt | None = None
    """What the agent is asked; each such step is a conversation of its own."""
    command: Command | None = None
    """Or a program and its arguments."""
    depends_on: Annotated[list[StepDependency], Field(max_length=MOST_STEPS), ListMap("name")] = []
    """Steps above that it stands on. Without any it runs whatever became of those."""


Steps = Annotated[list[Step], Field(min_length=1, max_length=MOST_STEPS), ListMap("name")]

# Only steps above can be named, so there is no way round in a circle.
IN_ORDER = (
    "!has(self.steps) || self.steps.all(place, step, !has(step.dependsOn)"
    " || step.dependsOn.all(edge, self.steps.exists(above, other,"
    " above < place && other.name == edge.name)))"
)
IN_ORDER_MESSAGE = "a step's dependsOn names steps that stand above it in the list"


def are_in_order(steps: list[Step] | None) -> bool:
    """Whether each step names only steps above it."""
    above: set[str] = set()
    for step in steps or ():
        if any(edge.name not in above for edge in step.depends_on):
            return False
        above.add(step.name)
    return True
