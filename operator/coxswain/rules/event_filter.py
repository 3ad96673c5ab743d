"""Which events a Schedule takes. Pure."""

from typing import Any

from coxswain.api.records import Event
from coxswain.api.schedule import OnEvent

_PLAIN = ("actor", "kind", "name", "attempt", "type")


def matches(wanted: OnEvent, event: Event) -> bool:
    """Whether type and every named field of the event are as wanted."""
    is_type = event.type == wanted.type
    if wanted.type.endswith("."):
        is_type = event.type.startswith(wanted.type)
    return is_type and all(_text(event, each.path) == each.equals for each in wanted.fields)


def _text(event: Event, path: str) -> str | None:
    """A field as text; None where it is not there or is not one value."""
    head, *steps = path.split(".")
    value: Any = getattr(event, head) if head in _PLAIN else event.details
    if head not in _PLAIN and head != "details":
        return None
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None
