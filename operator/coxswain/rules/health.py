"""How a component is, and all of them together, from what its processes say. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from coxswain.api.standing import Role, Standing

OPERATOR = "operator"
NEEDED = (OPERATOR, "sidecar", "models", "egress")
"""Components that every installation has."""


class HealthState(StrEnum):
    """From good to bad."""

    OK = "ok"
    IMPAIRED = "impaired"
    """It works; something of it does not."""
    BROKEN = "broken"
    """Nobody does its work."""


_RANK = {state: rank for rank, state in enumerate(HealthState)}


def of_component(name: str, answered: Sequence[Standing], silent: int) -> HealthState:
    """One component, by its processes that answered and the number of those that did not."""
    working = [each for each in answered if each.ready]
    if name == OPERATOR:
        working = [each for each in working if each.role is Role.LEADER]
    if not working:
        return HealthState.BROKEN
    is_whole = not silent and all(each.ready and not each.broken for each in answered)
    return HealthState.OK if is_whole else HealthState.IMPAIRED


def of_all(components: Iterable[HealthState]) -> HealthState:
    """The worst of them."""
    return max(components, key=_RANK.__getitem__, default=HealthState.BROKEN)


def by_component(
    answered: Iterable[Standing], silent: Mapping[str, str]
) -> dict[str, tuple[list[Standing], list[str]]]:
    """Who answered and the ids of who did not, of each component that is there or should be."""
    found: dict[str, tuple[list[Standing], list[str]]] = {name: ([], []) for name in NEEDED}
    for each in answered:
        found.setdefault(each.component, ([], []))[0].append(each)
    for id_, name in silent.items():
        found.setdefault(name, ([], []))[1].append(id_)
    return found
