"""How a process of the platform is, in its own words."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from coxswain.api.meta import Model


class Role(StrEnum):
    """What a process is among its replicas."""

    LEADER = "leader"
    """The one operator that works."""
    STANDBY = "standby"
    """An operator that would take over."""
    ACTIVE = "active"
    """One of those that all serve."""


class Standing(Model):
    """One process, as it says itself."""

    # Between two versions a process may say more than its reader knows.
    model_config = ConfigDict(extra="ignore")

    component: Annotated[str, Field(max_length=63)]
    """operator, sidecar, models, egress or channels."""
    replica: Annotated[str, Field(max_length=253)]
    """Name of its pod, or of its machine."""
    id: Annotated[str, Field(max_length=16)]
    """What tells it from others of that name."""
    version: Annotated[str, Field(max_length=63)]
    """Which version of Coxswain it runs."""
    role: Role
    """leader, standby or active."""
    ready: bool
    """Whether all that it needs answers."""
    broken: list[str]
    """What does not answer, by the names of /readyz."""
