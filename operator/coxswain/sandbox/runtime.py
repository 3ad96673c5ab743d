"""Which RuntimeClass a pod gets: the Agent's, else the installation's, by its policy."""

from collections.abc import Set
from dataclasses import dataclass

from coxswain.settings import SandboxSettings


@dataclass(frozen=True, slots=True)
class Runtime:
    """The class to set, or why there may be no pod."""

    name: str | None = None
    problem: str | None = None


def choose(wanted: str | None, settings: SandboxSettings, present: Set[str]) -> Runtime:
    """Choose among the classes that the cluster has.

    An Agent's own choice is never dropped for want of the class: that would open its sandbox.
    """
    name = wanted or (settings.runtime_class if settings.runtime_class_policy != "off" else "")
    if name in present:
        return Runtime(name)
    if wanted is not None or (name and settings.runtime_class_policy == "require"):
        return Runtime(
            problem=f"the cluster has no RuntimeClass {name}; install it or name another"
        )
    if settings.runtime_class_policy == "require":
        return Runtime(
            problem="this installation requires a RuntimeClass and neither it nor the Agent names"
            " one; set spec.sandbox.runtimeClassName"
        )
    return Runtime()
