"""What the operator reads, the whole cluster or onboarded workspaces alone, and how often all of it again."""

from typing import Annotated

from pydantic import Field

from coxswain.configuration import Settings

Workspace = Annotated[
    str, Field(min_length=1, max_length=63, pattern="^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
]


class ReadingSettings(Settings):
    """Part of the operator's settings."""

    read_workspaces: Annotated[list[Workspace], Field(max_length=1000)] | None = None
    """Workspaces whose objects are read, each by lists of its own, as JSON such as ["demo"]; none reads
    all by one list per kind, which needs the right to list in every namespace."""
    sweep_seconds: Annotated[int, Field(ge=1, le=300)] = 60
    """Time between two sweeps, which make a pass over all that has not ended; a fifth more or less. For what no event
    has told alone, there is a look each five seconds, or as much less often as it takes long."""
