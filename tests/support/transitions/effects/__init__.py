"""What comes of a spec, by the product's own pure functions: views with a name and a text.

A property has an effect where two specs that differ in it alone differ in a view. No view shows a
spec, or a part of one, as it stands, but for the run document, which is what the pod, its doors and the
gateways go by.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from coxswain.api import manifest
from tests.support.transitions.effects import agents, jobs, leases, schedules

Body = dict[str, Any]
View = tuple[str, object]
OF: dict[str, Callable[[Body], Iterator[View]]] = {
    "Agent": agents.views,
    "Job": jobs.views,
    "Schedule": schedules.views,
    "Lease": leases.views,
}


def of(kind: str, spec: Body) -> Iterator[tuple[str, str]]:
    """Every view of a spec of this kind, each made when it is asked for."""
    yield "row", _row(kind, spec)
    for name, found in OF[kind](spec):
        yield name, repr(found)


def first_difference(before: Mapping[str, str], after: Iterator[tuple[str, str]]) -> str | None:
    """The name of the first view that is not as it was; None where all are."""
    seen = set()
    for name, text in after:
        seen.add(name)
        if before.get(name) != text:
            return name
    return next(iter(before.keys() - seen), None)


def _row(kind: str, spec: Body) -> str:
    """What ``kubectl get`` shows of it."""
    (found,) = [each for each in manifest.KINDS if each.name == kind]
    paths = [column.path.removeprefix(".spec.") for column in found.columns]
    return repr([_at(spec, path) for path in paths if not path.startswith(".")])


def _at(value: Any, path: str) -> Any:
    for step in path.replace("[0]", ".0").split("."):
        if isinstance(value, list):
            value = value[0] if value else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value
