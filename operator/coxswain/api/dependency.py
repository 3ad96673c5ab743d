"""A Job that another one waits for."""

from typing import Literal

from coxswain.api.meta import Model, Name


class Dependency(Model):
    """Another Job of the same workspace, which has to end first."""

    name: Name
    """Its name. One that is not there is waited for."""
    on_failure: Literal["Fail", "Ignore"] = "Fail"
    """What follows where it ends otherwise than Succeeded. Fail: this Job fails too. Ignore: its
    end is enough."""
