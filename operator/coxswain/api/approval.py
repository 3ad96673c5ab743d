"""Who has to agree: before a Job starts, or before an agent calls a tool."""

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from coxswain.api.meta import Model, Rule

PERSON = r"^[^\s\x00-\x1f]+$"
Person = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=PERSON)]


class Electorate(Model):
    """So many of these people. One who denies decides alone."""

    RULES: ClassVar = (
        Rule(
            "self.required <= self.approvers.size()",
            "required is at most the number of approvers",
            lambda self: self.required <= len(self.approvers),
        ),
        Rule(
            "self.approvers.all(one, self.approvers.exists_one(other, other == one))",
            "an approver stands twice",
            lambda self: len(set(self.approvers)) == len(self.approvers),
        ),
    )

    approvers: Annotated[list[Person], Field(min_length=1, max_length=32)]
    """The people who may agree, by the name that the API knows them by."""
    required: Annotated[int, Field(ge=1, le=32)] = 1
    """How many of them have to."""
    exclude_requester: bool = False
    """True: who made the Job does not count. It has to be made through the API then, which knows."""


class Approval(Electorate):
    """So many of these people, within a time. One who denies ends the Job."""

    timeout_seconds: Annotated[int, Field(ge=1, le=31536000)] = 86400
    """So long after the Job was made it fails, if not enough have agreed."""


class CallApproval(Electorate):
    """So many of these people, within a time, for each call. A call that is denied is not made, and
    the model is told so.
    """

    timeout_seconds: Annotated[int, Field(ge=1, le=604800)] = 900
    """So long a call waits for them; then it is refused. The attempt's own time goes on meanwhile."""
