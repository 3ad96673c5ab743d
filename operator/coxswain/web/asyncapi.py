"""The AsyncAPI document of the event log, made from the table of types: what is told, where, and in which form.

What is read and what is taken have forms of their own: a reader gets events with their place in the log,
one by one, open for fields to come; a writer sends closed batches, in which there is no such place.
"""

from collections.abc import Mapping
from typing import Any

import coxswain
from coxswain.api import event_schemas
from coxswain.api.event_type import EventType, FreeTypes, Writer
from coxswain.api.event_types import registry
from coxswain.api.meta import Model

PATH = "/v1/asyncapi.json"
Node = dict[str, Any]
_SCHEMAS = "#/components/schemas/"
_EVENT = {"$ref": f"{_SCHEMAS}Event"}
_CHANNELS = {
    Writer.USER: (
        "userEvents",
        "takeUserEvents",
        "/v1/events",
        "Events of people and their programs, appended in batches.",
    ),
    Writer.RUN: (
        "runEvents",
        "takeRunEvents",
        "/v1/run/events",
        "Events of an agent program about its run, in batches.",
    ),
}


def document(envelope: type[Model], taken: Mapping[Writer, type[Model]]) -> Node:
    """The whole document; ``envelope`` is the form in which events are read, ``taken`` how they come in."""
    types = list(registry.TABLE.values())
    read = {each.key: _message(each) for each in types}
    read |= {_key(each): _free(each) for each in registry.FREE}
    batches = {batch.__name__: _batch(writer, batch) for writer, batch in taken.items()}
    schemas = {"Event": event_schemas.of(envelope)}
    for writer, batch in taken.items():
        schemas |= _taken(writer, batch)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Coxswain's event log",
            "version": coxswain.__version__,
            "description": "Positions count up without a hole. Fields may be added at any time:"
            " pass over those that you do not know. What is appended has the fields named here and no"
            " others, but in its details.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "events": {
                "address": "/v1/events",
                "description": "Every event of the log, by pages, long-poll or as a stream.",
                "messages": _references(read),
            },
            **{_CHANNELS[writer][0]: _channel(writer, batch) for writer, batch in taken.items()},
        },
        "operations": {
            "tellEvents": _operation("send", "events", "What a reader of the log gets."),
            **{_CHANNELS[writer][1]: _takes(writer) for writer in taken},
        },
        "components": {
            "messages": read | batches,
            "schemas": schemas | {each.key: event_schemas.data(each) for each in types},
        },
    }


def _references(names: Mapping[str, object]) -> Node:
    return {name: {"$ref": f"#/components/messages/{name}"} for name in names}


def _channel(writer: Writer, batch: type[Model]) -> Node:
    _, _, address, text = _CHANNELS[writer]
    return {
        "address": address,
        "description": text,
        "messages": _references({batch.__name__: batch}),
    }


def _takes(writer: Writer) -> Node:
    return _operation("receive", _CHANNELS[writer][0], f"What a {writer} may append.")


def _operation(action: str, channel: str, summary: str) -> Node:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}


def _message(what: EventType[Any]) -> Node:
    payload = {"allOf": [_EVENT, {"properties": _fixed(what)}]}
    return {"name": what.name, "summary": what.means, "payload": payload}


def _free(what: FreeTypes) -> Node:
    fixed = {"type": {"pattern": what.pattern}}
    payload = {"allOf": [_EVENT, {"properties": fixed}]}
    return {"name": f"{what.prefix}*", "summary": what.means, "payload": payload}


def _batch(writer: Writer, batch: type[Model]) -> Node:
    payload = {"$ref": f"{_SCHEMAS}{batch.__name__}"}
    return {"name": batch.__name__, "summary": _CHANNELS[writer][3], "payload": payload}


def _taken(writer: Writer, batch: type[Model]) -> dict[str, Node]:
    """A batch, the event in it, and that event as each of the types that its writer may tell."""
    found = event_schemas.sent(batch, _SCHEMAS)
    (event,) = found.keys() - {batch.__name__}
    base = {"$ref": f"{_SCHEMAS}{event}"}
    forms: dict[str, Node] = {}
    for what in registry.TABLE.values():
        if what.writer is writer:
            rest = {"required": _needed(what), "properties": _fixed(what)}
            forms[f"{event}.{what.key}"] = {"description": what.means, "allOf": [base, rest]}
    for free in registry.FREE:
        if free.writer is writer:
            rest = {"properties": {"type": {"pattern": free.pattern}}}
            forms[f"{event}.{_key(free)}"] = {"description": free.means, "allOf": [base, rest]}
    found[batch.__name__]["properties"]["events"]["items"] = {
        "anyOf": [{"$ref": f"{_SCHEMAS}{name}"} for name in forms]
    }
    return found | forms


def _needed(what: EventType[Any]) -> list[str]:
    """What has to stand in an event that is appended: without a version it is of the first, and empty."""
    has_data = any(each.is_required() for each in what.data.model_fields.values())
    return [
        "type",
        *(["details"] if has_data else []),
        *(["eventVersion"] if what.version != 1 else []),
    ]


def _fixed(what: EventType[Any]) -> Node:
    return {
        "type": {"const": what.name},
        "eventVersion": {"const": what.version},
        "details": {"$ref": f"{_SCHEMAS}{what.key}"},
    }


def _key(what: FreeTypes) -> str:
    return f"{what.prefix}free"
