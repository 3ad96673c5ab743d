"""What this API says of the health of all components."""

from collections.abc import Mapping, Sequence

from coxswain.api.meta import Model
from coxswain.api.standing import Standing
from coxswain.rules import health
from coxswain.rules.health import HealthState


class ComponentHealth(Model):
    """One component."""

    name: str
    """operator, sidecar, models, egress or channels."""
    state: HealthState
    """ok; impaired: it works, and something of it does not; broken: nobody does its work."""
    replicas: list[Standing]
    """Its processes, each as it says itself."""
    silent: list[str]
    """Ids of processes that are connected to the database and did not answer in time."""


class HealthView(Model):
    """All components at this moment."""

    state: HealthState
    """The worst of them."""
    asked: bool
    """Whether all could be asked; where not, the database does not answer or tells this process nothing, and
    the only process told of is the one that answers here."""
    components: list[ComponentHealth]
    """Those that every installation has, and others that are there."""

    @classmethod
    def of(
        cls, answered: Sequence[Standing], silent: Mapping[str, str], *, asked: bool
    ) -> "HealthView":
        """From what the processes say."""
        found = health.by_component(answered, silent)
        if not asked:
            found = {name: each for name, each in found.items() if each[0]}
        components = [
            ComponentHealth(
                name=name,
                state=health.of_component(name, replicas, len(lost)),
                replicas=sorted(replicas, key=lambda each: (each.replica, each.id)),
                silent=sorted(lost),
            )
            for name, (replicas, lost) in found.items()
        ]
        states = [each.state for each in components]
        state = health.of_all(states) if asked else HealthState.BROKEN
        return cls(state=state, asked=asked, components=components)
