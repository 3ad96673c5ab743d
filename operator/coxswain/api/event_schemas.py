"""The published schemas of all types of events: one JSON Schema that any event of the log fits. Pure.

They are open: fields that a schema does not name may come with any newer version of the platform.
"""

from typing import Any

from coxswain.api.event_type import EventType
from coxswain.api.event_types import registry
from coxswain.api.meta import Model

Node = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
DEFINITIONS = "#/$defs/"


def bundle(envelope: type[Model]) -> Node:
    """The form of an event, and below ``$defs`` that of ``details`` of each type and version."""
    types = list(registry.TABLE.values())
    return {
        "$schema": DIALECT,
        "title": "Event",
        **of(envelope),
        "allOf": [_where(each) for each in types],
        "$defs": {each.key: data(each) for each in types},
    }


def data(what: EventType[Any]) -> Node:
    """The form of ``details`` of a type."""
    return {**of(what.data), "description": what.means}


def of(model: type[Model]) -> Node:
    """The schema of a flat model, open and without titles."""
    found: Node = model.model_json_schema(by_alias=True)
    found.pop("title", None)
    found.pop("additionalProperties", None)
    for each in found.get("properties", {}).values():
        each.pop("title", None)
        each.pop("default", None)
    return found


def sent(batch: type[Model], place: str) -> dict[str, Node]:
    """The schemas of a batch that is sent to us and of the event in it, by name; both are closed.

    They refer to each other below ``place``.
    """
    whole: Node = batch.model_json_schema(by_alias=True, ref_template=f"{place}{{model}}")
    found: dict[str, Node] = {**whole.pop("$defs"), batch.__name__: whole}
    for schema in found.values():
        schema.pop("title", None)
        for each in schema["properties"].values():
            each.pop("title", None)
    return found


def _where(what: EventType[Any]) -> Node:
    names = {"type": {"const": what.name}, "eventVersion": {"const": what.version}}
    details = {"$ref": f"{DEFINITIONS}{what.key}"}
    return {
        "if": {"properties": names, "required": ["type", "eventVersion"]},
        "then": {"properties": {"details": details}},
    }
