"""Schemas that others wrote: what is refused, and how long the worst that is let through takes."""

import time
from typing import Any

import pytest

from coxswain.api import payload
from coxswain.errors import UserError
from coxswain.rules import schemas

PLACE = "data.inputSchema"


def chain(levels: int, width: int) -> dict[str, Any]:
    definitions: dict[str, Any] = {
        f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * width} for n in range(levels)
    }
    return {"$defs": {**definitions, f"a{levels}": {"type": "integer"}}, "$ref": "#/$defs/a0"}


REFUSED = [
    ({"type": "strin"}, "strin"),
    ({"typ": "string"}, "/typ: this word is not known here"),
    ({"properties": {"a": {"minimum": "x"}}}, "is not of type"),
    ({"properties": 3}, "is not of type"),
    ({"$ref": "http://127.0.0.1:9/schema"}, "/$ref: a reference leads to #/$defs/NAME"),
    ({"$ref": "#/properties/a"}, "a reference leads to #/$defs/NAME"),
    ({"$ref": "#/$defs/none", "$defs": {}}, "there is no #/$defs/none"),
    ({"$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}, "$ref": "#/$defs/a"}, "contains itself"),
    ({"$dynamicRef": "#x"}, "/$dynamicRef: this word is not known"),
    ({"unevaluatedProperties": False}, "this word is not known"),
    ({"$schema": "http://json-schema.org/draft-07/schema#"}, "only https://json-schema.org/draft"),
    ({"pattern": "(a{1000}){1000}"}, "is not a"),
    ({"pattern": "(?=a)b"}, "is not a"),
    ({"pattern": "a" * 300}, "at most 256 characters"),
    ({"anyOf": [{"pattern": f"a{n}"} for n in range(40)]}, "at most 32 patterns"),
    ({"enum": list(range(300))}, "/enum: at most 250 choices"),
    ({"anyOf": [{}] * 501}, "more than 500 parts"),
    ({"description": "x" * 70_000}, "are more than 65536"),
    (chain(12, 2), "more than 500 parts"),
    (chain(40, 1), "more than 16 references follow each other"),
]


@pytest.mark.parametrize(("schema", "why"), REFUSED, ids=[why[:40] for _, why in REFUSED])
def test_a_wrong_schema_is_refused_with_its_place(schema: dict[str, Any], why: str) -> None:
    with pytest.raises(UserError) as caught:
        schemas.check(schema, PLACE)
    assert caught.value.message.startswith(PLACE)
    assert why in caught.value.message
    assert caught.value.field == PLACE


def test_a_schema_that_is_too_deep_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(40):
        schema = {"items": schema}
    with pytest.raises(UserError, match="nested deeper than 32"):
        schemas.check(schema, PLACE)


def test_what_does_not_fit_is_named_by_json_pointers() -> None:
    schema = {
        "type": "object",
        "properties": {"a/b": {"type": "array", "items": {"$ref": "#/$defs/count"}}},
        "required": ["c"],
        "$defs": {"count": {"type": "integer", "maximum": 3}},
    }
    schemas.check(schema, PLACE)
    found = schemas.problems(schema, {"a/b": [1, "x", 9]}, "spec.input")
    assert found is not None
    assert 'spec.input/a~1b/1: "x" is not of type "integer"' in found
    assert "spec.input/a~1b/2: 9 is greater than the maximum of 3" in found
    assert 'spec.input: "c" is a required property' in found
    assert schemas.problems(schema, {"a/b": [1], "c": None}, "spec.input") is None


def test_many_problems_are_cut_short() -> None:
    schema = {"items": {"type": "integer"}}
    found = schemas.problems(schema, ["x" * 500] * 20, "output")
    assert found is not None
    assert found.count("output/") == schemas.SHOWN
    assert found.endswith("; and more")
    assert len(found) < 1500


WORST: dict[str, tuple[dict[str, Any], Any]] = {
    "patterns": (
        {"items": {"anyOf": [{"pattern": "(.*a){0,20}b" + str(n)} for n in range(32)]}},
        ["x" * 1000] * 250,
    ),
    "one long text": (
        {"allOf": [{"pattern": "(x+x+)+y" + str(n)} for n in range(32)]},
        "x" * 250_000,
    ),
    "enum": ({"items": {"enum": list(range(250))}}, [-1] * 9_999),
    "many parts": ({"items": {"anyOf": [{"maximum": -2}] * 490}}, [-1] * 9_999),
    "all parts": ({"items": {"allOf": [{"maximum": 3}] * 490}}, [1] * 9_999),
    "unique": ({"uniqueItems": True}, [[n] for n in range(4_900)]),
    "references": ({**chain(5, 2), "items": {"$ref": "#/$defs/a0"}}, [1] * 9_999),
}


@pytest.mark.parametrize("name", WORST)
def test_the_worst_that_is_let_through_ends_soon(name: str) -> None:
    schema, value = WORST[name]
    schemas.check(schema, PLACE)
    text = payload.canonical(value)
    assert payload.read(text, most_bytes=payload.OUTPUT_BYTES, field="output") == value
    # CPU, which other work on the machine hardly changes. Measured at most 0.9 s on a slow core.
    began = time.process_time()
    schemas.problems(schema, value, "output")
    assert time.process_time() - began < 5
