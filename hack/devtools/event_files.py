"""What is published of the types of events: a page, one JSON Schema, an AsyncAPI document.

A type's data only grow. What older readers or writers would stumble over is refused here, before it is
written: it takes a new version of the type, beside the old one.
"""

import json
from pathlib import Path
from typing import Any

from coxswain.api import event_schemas
from coxswain.api.event_type import SCHEMA_VERSION, EventType
from coxswain.api.event_types import registry
from coxswain.api.meta import Model
from coxswain.sidecar.wire import TAKEN, EventView
from coxswain.web import asyncapi
from devtools import markdown, places
from devtools.errors import ToolError

SCHEMA = Path("docs/events.schema.json")
DOCUMENT = Path("docs/asyncapi.json")
PAGE = Path("docs/events.md")
NOTE = "<!-- Made by hack/generate from operator/coxswain/api/event_types; do not edit. -->\n"
Node = dict[str, Any]


def files() -> dict[Path, str]:
    """Every file about events, with its text."""
    return {
        SCHEMA: _json(event_schemas.bundle(EventView)),
        DOCUMENT: _json(asyncapi.document(EventView, TAKEN)),
        PAGE: page(),
    }


def require_readable() -> None:
    """Raise ToolError if a published schema changes in a way that older readers do not survive."""
    published = places.REPOSITORY / SCHEMA
    if not published.exists():
        return
    found = breaks(json.loads(published.read_text()), event_schemas.bundle(EventView))
    if found:
        raise ToolError(
            f"older readers of events would break: {'; '.join(found)}",
            "leave that version of the type as it is, and add the next one beside it",
        )


def breaks(old: Node, new: Node) -> list[str]:
    """What a reader or writer of the old bundle would stumble over in the new one."""
    found = _changes("an event", old, new)
    for name, schema in old["$defs"].items():
        if name not in new["$defs"]:
            found.append(f"{name} is gone")
        else:
            found += _changes(name, schema, new["$defs"][name])
    return found


def page() -> str:
    """docs/events.md: every type with its data."""
    free = [(f"`{each.prefix}`", str(each.writer), each.means) for each in registry.FREE]
    return (
        f"{NOTE}# Events\n\n"
        "What happens is told in one log, by types with a version each; [records](records.md) says how it is read.\n"
        "Programs find the same in [events.schema.json](events.schema.json), one JSON Schema that every event\n"
        "fits, and in an AsyncAPI document that the sidecar serves at `/v1/asyncapi.json`\n"
        "([the same as a file](asyncapi.json)). That one also has the batches in which events are appended:\n"
        "closed, and without what only the log gives an event, its position and times.\n\n"
        f"`schemaVersion` is {SCHEMA_VERSION}; `eventVersion` is the version of the type. Fields are added without a\n"
        "new version: pass over those that you do not know, and over types that you do not know. Nothing is taken\n"
        "away, changed or made required but in a new version of the type, which is told beside the old one.\n\n"
        "What is told by `run` comes from the program of a run, by `user` from people and machines, and by `platform`\n"
        "from nobody else. What matters to security is found by `GET /v1/events?security=true`.\n\n"
        "## Types of your own\n\n"
        f"{markdown.table(('begins with', 'told by', 'for'), free)}\n"
        "Their data are any JSON object, at most as large and as deep as an event may be.\n"
        f"{''.join(_section(data, types) for data, types in _by_data().items())}"
    )


def _by_data() -> dict[type[Model], list[EventType[Any]]]:
    found: dict[type[Model], list[EventType[Any]]] = {}
    for each in registry.TABLE.values():
        found.setdefault(each.data, []).append(each)
    return found


def _section(data: type[Model], types: list[EventType[Any]]) -> str:
    schema = event_schemas.of(data)
    needed = schema.get("required", [])
    told = [
        (f"`{each.name}`", str(each.version), each.about, str(each.writer), _yes(each), each.means)
        for each in types
    ]
    fields = [
        (f"`{name}`", _form(each), "yes" if name in needed else "", _text(each))
        for name, each in schema.get("properties", {}).items()
    ]
    head = ("type", "version", "about", "told by", "security", "")
    table = markdown.table(("data", "form", "always there", ""), fields) if fields else ""
    shown = f"\n{table}" if table else ""
    return f"\n## {_text(schema)}\n\n{markdown.table(head, told)}{shown}"


def _yes(what: EventType[Any]) -> str:
    return "yes" if what.is_security else ""


def _text(schema: Node) -> str:
    return " ".join(str(schema.get("description", "")).split())


def _form(schema: Node) -> str:
    if "anyOf" in schema:
        return _form(next(each for each in schema["anyOf"] if each.get("type") != "null"))
    if "enum" in schema:
        return " or ".join(f"`{each}`" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_form(schema['items'])}"
    return str(schema.get("type", "any"))


def _changes(where: str, old: Node, new: Node) -> list[str]:
    found = []
    for name, schema in old.get("properties", {}).items():
        now = new.get("properties", {}).get(name)
        if now is None:
            found.append(f"{where}: {name} is gone")
        elif _meaning(now) != _meaning(schema):
            found.append(f"{where}: {name} has another form")
    before, after = set(old.get("required", [])), set(new.get("required", []))
    found += [f"{where}: {name} is required now" for name in sorted(after - before)]
    found += [f"{where}: {name} may be missing now" for name in sorted(before - after)]
    return found


def _meaning(schema: Node) -> Node:
    return {key: value for key, value in schema.items() if key not in ("description", "title")}


def _json(value: Node) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
