"""The AsyncAPI document of the event log, made from the table of types: what is told, where, and in which form."""

from typing import Any

import coxswain
from coxswain.api import event_schemas
from coxswain.api.event_type import EventType, FreeTypes, Writer
from coxswain.api.event_types import registry
from coxswain.api.meta import Model

PATH = "/v1/asyncapi.json"
Node = dict[str, Any]
_EVENT = {"$ref": "#/components/schemas/Event"}
_CHANNELS = {
    "events": ("/v1/events", "Every event of the log, by pages, long-poll or as a stream."),
    "userEvents": ("/v1/events", "Events of people and their programs, appended in batches."),
    "runEvents": ("/v1/run/events", "Events of an agent program about its run, in batches."),
}
_WRITERS = {"userEvents": Writer.USER, "runEvents": Writer.RUN}


def document(envelope: type[Model]) -> Node:
    """The whole document; ``envelope`` is the form in which events are read."""
    types = list(registry.TABLE.values())
    messages = {each.key: _message(each) for each in types}
    messages |= {_key(each): _free(each) for each in registry.FREE}
    schemas = {"Event": event_schemas.of(envelope)}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Coxswain's event log",
            "version": coxswain.__version__,
            "description": "Positions count up without a hole. Fields may be added at any time:"
            " pass over those that you do not know.",
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(name) for name in _CHANNELS},
        "operations": {
            "tellEvents": _operation("send", "events", "What a reader of the log gets."),
            "takeUserEvents": _operation("receive", "userEvents", "What people may append."),
            "takeRunEvents": _operation("receive", "runEvents", "What a run may append."),
        },
        "components": {
            "messages": messages,
            "schemas": schemas | {each.key: event_schemas.data(each) for each in types},
        },
    }


def _channel(name: str) -> Node:
    address, text = _CHANNELS[name]
    writer = _WRITERS.get(name)
    keys = [each.key for each in registry.TABLE.values() if writer in (None, each.writer)]
    keys += [_key(each) for each in registry.FREE if writer in (None, each.writer)]
    messages = {key: {"$ref": f"#/components/messages/{key}"} for key in keys}
    return {"address": address, "description": text, "messages": messages}


def _operation(action: str, channel: str, summary: str) -> Node:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}


def _message(what: EventType[Any]) -> Node:
    fixed = {
        "type": {"const": what.name},
        "eventVersion": {"const": what.version},
        "details": {"$ref": f"#/components/schemas/{what.key}"},
    }
    return {
        "name": what.name,
        "summary": what.means,
        "payload": {"allOf": [_EVENT, {"properties": fixed}]},
    }


def _free(what: FreeTypes) -> Node:
    fixed = {"type": {"pattern": f"^{what.prefix.replace('.', '[.]')}"}}
    return {
        "name": f"{what.prefix}*",
        "summary": what.means,
        "payload": {"allOf": [_EVENT, {"properties": fixed}]},
    }


def _key(what: FreeTypes) -> str:
    return f"{what.prefix}free"
