"""What can be switched while everything runs: the one table of flags. Pure.

A flag stands before the setting of the process that goes by it; one that nobody has set leaves it to
the setting. What is for a first try alone cannot be switched on where mode is prod.
"""

from dataclasses import dataclass
from typing import Literal

Mode = Literal["dev", "prod"]


@dataclass(frozen=True)
class Flag:
    """A switch of the whole installation."""

    name: str
    process: str
    """Which process goes by it."""
    setting: str
    """That process's setting, which counts where nobody has set the flag."""
    is_for_dev: bool = False
    """Whether it stays off where mode is prod."""


SCHEDULES = Flag("schedulesEnabled", "operator", "schedules_enabled")
DEMO = Flag("demoProvider", "models", "demo_provider", is_for_dev=True)
TABLE = {flag.name: flag for flag in (DEMO, SCHEDULES)}


def is_on(flag: Flag, said: bool | None, *, setting: bool, mode: Mode) -> bool:
    """What comes of a flag, of the setting behind it and of what the installation is for."""
    if flag.is_for_dev and mode == "prod":
        return False
    return setting if said is None else said
