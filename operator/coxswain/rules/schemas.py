"""JSON Schemas that others wrote, with bounds by which checking a value always ends soon.

Only words of a list are known: none of them fetches, and none makes a checker begin anew. A
reference leads to #/$defs/NAME and never in a circle; what all references come to when they are
written out is counted. Patterns run in an engine without backtracking.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import jsonschema_rs

from coxswain.api import payload
from coxswain.errors import UserError

SCHEMA_BYTES = 65_536
NODES = 500
CHOICES = 250
REFERENCES = 16
PATTERNS = 32
PATTERN_CHARACTERS = 256
# To name every problem costs 30 microseconds for each part and value; beyond this the first is named.
NAMED = 20_000
SHOWN = 5
SHOWN_CHARACTERS = 200

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REGEX = jsonschema_rs.RegexOptions(size_limit=65_536, dfa_size_limit=262_144)
_DEFINITIONS = "#/$defs/"
_NAMED = ("$defs", "properties", "patternProperties", "dependentSchemas")
_LISTED = ("allOf", "anyOf", "oneOf", "prefixItems")
_SINGLE = (
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
)
_PLAIN = (
    *("$comment", "$ref", "$schema", "const", "default", "dependentRequired", "deprecated"),
    *("description", "enum", "examples", "exclusiveMaximum", "exclusiveMinimum", "format"),
    *("maxContains", "maxItems", "maxLength", "maxProperties", "maximum", "minContains"),
    *("minItems", "minLength", "minProperties", "minimum", "multipleOf", "pattern", "readOnly"),
    *("required", "title", "type", "uniqueItems", "writeOnly"),
)
_WORDS = frozenset({*_NAMED, *_LISTED, *_SINGLE, *_PLAIN})

Schema = dict[str, Any]


def check(schema: Schema, field: str) -> None:
    """Raise UserError, naming the place, unless the schema is right and within the bounds."""
    text = payload.canonical(schema)
    payload.read(text, most_bytes=SCHEMA_BYTES, field=field)
    _Counter(schema, field).parts()
    try:
        _validator(schema)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
        raise UserError(f"{field}: {_first_line(error)}", field=field) from error


def problems(schema: Schema, value: object, field: str) -> str | None:
    """What of a value does not fit a schema that was checked, by JSON pointers; None if all does."""
    validator = _validator(schema)
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        first = error
    else:
        return None
    found = [first]
    if _Counter(schema, field).parts() * payload.count(value) <= NAMED:
        found = list(islice(validator.iter_errors(value), SHOWN + 1))
    lines = [f"{field}{_pointer(each)}: {each.message[:SHOWN_CHARACTERS]}" for each in found]
    return "; ".join(lines[:SHOWN]) + ("; and more" if len(lines) > SHOWN else "")


def _validator(schema: Schema) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        schema, validate_formats=False, pattern_options=_REGEX, offline=True
    )


def _pointer(error: jsonschema_rs.ValidationError) -> str:
    steps = [str(step).replace("~", "~0").replace("/", "~1") for step in error.instance_path]
    return "".join(f"/{step}" for step in steps)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:SHOWN_CHARACTERS]


class _Counter:
    """Walks a schema as a checker would, all references written out, and gives up at a bound."""

    def __init__(self, schema: Schema, field: str) -> None:
        self._root = schema
        self._field = field
        self._nodes = 0
        self._choices = 0
        self._patterns = 0

    def parts(self) -> int:
        """How many it comes to. Raises UserError at the first place that breaks a bound."""
        if self._root.get("$schema", _DIALECT) != _DIALECT:
            raise self._refused("/$schema", f"only {_DIALECT} is known")
        self._visit(self._root, "", ())
        return self._nodes

    def _visit(self, node: object, place: str, inside: tuple[str, ...]) -> None:
        self._add(1)
        if not isinstance(node, dict):
            return
        for word, value in node.items():
            if word not in _WORDS:
                raise self._refused(f"{place}/{word}", "this word is not known here")
            self._read(word, value, place, inside)
        for child, below in _children(node, place):
            self._visit(child, below, inside)

    def _read(self, word: str, value: object, place: str, inside: tuple[str, ...]) -> None:
        if word == "$ref":
            self._follow(value, f"{place}/$ref", inside)
        elif word == "pattern":
            self._take_pattern(value, f"{place}/pattern")
        elif word == "patternProperties" and isinstance(value, dict):
            for each in value:
                self._take_pattern(each, f"{place}/patternProperties")
        elif word == "enum" and isinstance(value, list):
            self._choices += len(value)
            if self._choices > CHOICES:
                text = f"at most {CHOICES} choices in all, references written out"
                raise self._refused(f"{place}/enum", text)

    def _add(self, parts: int) -> None:
        self._nodes += parts
        if self._nodes > NODES:
            raise self._refused("", f"it comes to more than {NODES} parts, references written out")

    def _take_pattern(self, value: object, place: str) -> None:
        self._patterns += 1
        if self._patterns > PATTERNS:
            raise self._refused(place, f"at most {PATTERNS} patterns, references written out")
        if isinstance(value, str) and len(value) > PATTERN_CHARACTERS:
            raise self._refused(place, f"a pattern has at most {PATTERN_CHARACTERS} characters")

    def _follow(self, value: object, place: str, inside: tuple[str, ...]) -> None:
        name = str(value).removeprefix(_DEFINITIONS)
        known = self._root.get("$defs")
        if not str(value).startswith(_DEFINITIONS) or "/" in name or not isinstance(known, dict):
            raise self._refused(place, f"a reference leads to {_DEFINITIONS}NAME and nowhere else")
        if name not in known:
            raise self._refused(place, f"there is no {_DEFINITIONS}{name}")
        if name in inside:
            raise self._refused(place, f"{_DEFINITIONS}{name} contains itself")
        if len(inside) >= REFERENCES:
            raise self._refused(place, f"more than {REFERENCES} references follow each other")
        self._visit(known[name], f"/$defs/{name}", (*inside, name))

    def _refused(self, place: str, why: str) -> UserError:
        return UserError(f"{self._field}{place}: {why}", field=self._field)


def _children(node: Schema, place: str) -> Iterator[tuple[object, str]]:
    for word in _NAMED:
        value = node.get(word)
        if isinstance(value, dict):
            yield from ((child, f"{place}/{word}/{name}") for name, child in value.items())
    for word in _LISTED:
        value = node.get(word)
        if isinstance(value, list):
            yield from ((child, f"{place}/{word}/{n}") for n, child in enumerate(value))
    for word in _SINGLE:
        if word in node:
            yield node[word], f"{place}/{word}"
