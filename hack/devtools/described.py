"""JSON schemas in words, for people: what may be given, and its bounds."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

NAMES = {"boolean": "true or false", "integer": "integer", "number": "number", "null": "null"}
FORMATS = {"password": "secret text", "path": "path"}


def resolved(node: Schema, root: Schema) -> Schema:
    """The node, with what it refers to in place of the reference."""
    if "$ref" not in node:
        return node
    found: Any = root
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return {**found, **{key: value for key, value in node.items() if key != "$ref"}}


def kind(node: Schema, root: Schema) -> str:
    """What may be given, in a few words."""
    node = resolved(node, root)
    if "anyOf" in node:
        found = [each for each in node["anyOf"] if each.get("type") != "null"]
        return " or ".join(kind(each, root) for each in found)
    if "enum" in node:
        return ", ".join(f"`{each}`" for each in node["enum"])
    if isinstance(node.get("type"), list):
        return " or ".join(kind({**node, "type": each}, root) for each in node["type"])
    words = {"string": _text, "array": _list, "object": _map}.get(node.get("type", ""))
    return words(node, root) if words else NAMES[node["type"]] + _range(node)


def choices(node: Schema, root: Schema) -> list[str]:
    """The words that may be given, where only some may."""
    return [str(each) for each in resolved(node, root).get("enum", ())]


def base(node: Schema, root: Schema) -> str:
    """The type alone; null beside another is left out."""
    node = resolved(node, root)
    if "anyOf" in node:
        found = [base(each, root) for each in node["anyOf"]]
        return " or ".join(each for each in found if each != "null")
    found = node.get("type", "string")
    return " or ".join(found) if isinstance(found, list) else str(found)


def leaves(root: Schema) -> Iterator[tuple[str, Schema, bool]]:
    """Path, schema and whether it is required, of everything that is a value of its own."""
    yield from _below(root, root, "")


def _below(node: Schema, root: Schema, path: str) -> Iterator[tuple[str, Schema, bool]]:
    required = node.get("required", ())
    for name, each in node.get("properties", {}).items():
        place, found = f"{path}{name}", resolved(each, root)
        yield from _leaf(found, root, place, is_required=name in required)


def _leaf(
    found: Schema, root: Schema, place: str, *, is_required: bool
) -> Iterator[tuple[str, Schema, bool]]:
    inner, more = _inner(found, root)
    if inner is None:
        yield place, found, is_required
    elif more:
        # The map or list is a value too: it may be empty.
        yield place, found, is_required
        yield from _below(inner, root, f"{place}{more}.")
    else:
        yield from _below(inner, root, f"{place}.")


def _inner(found: Schema, root: Schema) -> tuple[Schema | None, str]:
    """What has properties inside, and what stands in the path for it."""
    for key, more in (("items", "[]"), ("additionalProperties", ".*")):
        each = found.get(key)
        if isinstance(each, Mapping) and "properties" in resolved(each, root):
            return resolved(each, root), more
    return (found, "") if "properties" in found and found.get("type") == "object" else (None, "")


def _text(node: Schema, _root: Schema) -> str:
    words = FORMATS.get(node.get("format", ""), "text")
    if "maxLength" in node:
        words += f" of {node.get('minLength', 0)} to {node['maxLength']} characters"
    elif node.get("minLength"):
        words += ", not empty"
    return words + (f" like `{node['pattern']}`" if "pattern" in node else "")


def _list(node: Schema, root: Schema) -> str:
    return "list" + _size(node, "Items") + _of(node.get("items"), root)


def _map(node: Schema, root: Schema) -> str:
    if "properties" in node:
        return "map with " + ", ".join(f"`{name}`" for name in node["properties"])
    return "map" + _size(node, "Properties") + _of(node.get("additionalProperties"), root)


def _of(inner: Any, root: Schema) -> str:
    if not isinstance(inner, Mapping):
        return ""
    found = resolved(inner, root)
    return "" if found == {"type": "object"} else f" of {kind(found, root)}"


def _size(node: Schema, what: str) -> str:
    least, most = node.get(f"min{what}"), node.get(f"max{what}")
    if least is None and most is None:
        return ""
    return f" ({least or 0} to {most})" if most is not None else f" (at least {least})"


def _range(node: Schema) -> str:
    words = [
        f"{word} {_number(node[key])}"
        for key, word in (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"))
        if key in node
    ]
    return f" {' '.join(words)}" if words else ""


def _number(value: float) -> str:
    return json.dumps(int(value) if float(value).is_integer() else value)
