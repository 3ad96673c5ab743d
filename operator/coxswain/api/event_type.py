"""What a type of event is: its name, the form of its data, and who may tell it.

The types themselves stand in ``coxswain.api.event_types``. Data only grows: whoever reads passes over
fields that it does not know (``of_other_version``). What would break an older reader is a new version
of the type, beside the old one.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from coxswain.api.meta import Model

SCHEMA_VERSION = 1
"""Version of what all events have around their data: position, id, type, actor and so on."""

D = TypeVar("D", bound=Model)


class Writer(StrEnum):
    """Who tells an event."""

    PLATFORM = "platform"
    """The platform alone; from outside it is refused."""
    RUN = "run"
    """The program in an agent pod, about its own run."""
    USER = "user"
    """People and machines."""


@dataclass(frozen=True)
class EventType(Generic[D]):
    """One type in one version. ``data`` is the form of ``details``."""

    name: str
    means: str
    data: type[D]
    about: str = "Job"
    """The kind of the object that it is about."""
    writer: Writer = Writer.PLATFORM
    is_security: bool = False
    """Whether people who look after security want to see it: refusals, agreement, what was taken away."""
    version: int = 1

    @property
    def key(self) -> str:
        """Name and version in one word."""
        return f"{self.name}.v{self.version}"


@dataclass(frozen=True)
class FreeTypes:
    """Types that somebody else names; their data are any JSON object, within the bounds of an event."""

    prefix: str
    means: str
    writer: Writer

    @property
    def pattern(self) -> str:
        """A regular expression: what such a type is called."""
        return f"^{self.prefix.replace('.', '[.]')}[a-z_]+([.][a-z_]+)*$"
