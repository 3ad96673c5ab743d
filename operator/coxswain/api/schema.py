"""From a pydantic model to a structural schema, the dialect that CRDs speak.

It differs from JSON Schema: no references, no titles, no union with null, no ``const``, and a
closed object goes without ``additionalProperties: false`` (the API server prunes or refuses
unknown fields by itself).
"""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema
from typing_extensions import override

from coxswain.api.meta import Model

Node = dict[str, Any]
_DROPPED = ("title", "const", "discriminator")


class _Structural(GenerateJsonSchema):
    """Says what pydantic would say, in the dialect of CRDs."""

    @override
    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """An optional field may be absent; null is never written."""
        return self.generate_inner(schema["schema"])

    @override
    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        """Whole numbers of Kubernetes have 64 bits."""
        return {**super().int_schema(schema), "format": "int64"}

    @override
    def float_schema(self, schema: core_schema.FloatSchema) -> JsonSchemaValue:
        """Floats lose on the way through JSON; no kind has one."""
        raise TypeError("a kind has no floats: use an integer of a smaller unit")

    @override
    def literal_schema(self, schema: core_schema.LiteralSchema) -> JsonSchemaValue:
        """Always an enum, also for one value."""
        return {"type": "string", "enum": list(schema["expected"])}

    @override
    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Scalars keep their default, an object its fields'; what is empty stays away."""
        inner = self.generate_inner(schema["schema"])
        default = schema.get("default")
        wire = default.to_wire() if isinstance(default, Model) else self.encode_default(default)
        shown = _without_empty(wire)
        return inner if shown in (None, [], {}) else {**inner, "default": shown}

    @override
    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Add the model's rules."""
        found = super().model_schema(schema)
        found.pop("additionalProperties", None)
        kind = schema["cls"]
        if issubclass(kind, Model) and kind.RULES:
            found["x-kubernetes-validations"] = [
                {"rule": rule.expression, "message": rule.message} for rule in kind.RULES
            ]
        return found


def structural(model: type[Model], *, defaults: bool = True) -> Node:
    """The whole schema of a model; ``defaults`` is for what people write, not for status."""
    found = model.model_json_schema(by_alias=True, schema_generator=_Structural)
    definitions = found.pop("$defs", {})
    return _clean(found, definitions, defaults, ())


def nodes(schema: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Every node of a structural schema with its path, the root first."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    for key, step in (("items", "[]"), ("additionalProperties", "{}")):
        if key in schema:
            yield from nodes(schema[key], path + step)


def _without_empty(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    found = {name: _without_empty(child) for name, child in value.items()}
    return {name: child for name, child in found.items() if child != [] and child != {}}


def _clean(node: Node, definitions: Node, defaults: bool, inside: tuple[str, ...]) -> Node:
    node = dict(node)
    reference = node.pop("$ref", None)
    if reference is not None:
        name = reference.rpartition("/")[2]
        if name in inside:
            raise TypeError(f"{name} contains itself, which a CRD cannot say")
        inside = (*inside, name)
        node = {**definitions[name], **node}
    for word in _DROPPED if defaults else (*_DROPPED, "default"):
        node.pop(word, None)
    if node.get("type") == "array":
        node.setdefault("x-kubernetes-list-type", "atomic")
    children: list[Literal["items", "additionalProperties"]] = ["items", "additionalProperties"]
    for key in children:
        if key in node:
            node[key] = _clean(node[key], definitions, defaults, inside)
    if "properties" in node:
        node["properties"] = {
            name: _clean(child, definitions, defaults, inside)
            for name, child in node["properties"].items()
        }
    return node
