"""The schemas that the types turn into."""

from typing import Annotated, Any, ClassVar, Literal

import pytest
import yaml
from pydantic import Field

from coxswain.api import manifest, schema
from coxswain.api.manifest import Kind
from coxswain.api.meta import ListMap, LocalReference, Model, Rule
from coxswain.api.quantity import Quantity

FORBIDDEN = {"$ref", "$defs", "title", "const", "nullable", "oneOf", "discriminator", "allOf"}
kinds = pytest.mark.parametrize("kind", manifest.KINDS, ids=lambda kind: kind.plural)


def root(kind: Kind) -> schema.Node:
    version = manifest.definition(kind)["spec"]["versions"][0]
    found: schema.Node = version["schema"]["openAPIV3Schema"]
    return found


@kinds
def test_every_field_is_described(kind: Kind) -> None:
    bare = [
        path
        for path, node in schema.nodes(root(kind))
        if not path.endswith(("[]", "{}")) and path != ".metadata" and not node.get("description")
    ]
    assert bare == []


@kinds
def test_every_value_is_bounded(kind: Kind) -> None:
    unbounded = [path for path, node in schema.nodes(root(kind)) if not is_bounded(path, node)]
    assert unbounded == []


def is_bounded(path: str, node: schema.Node) -> bool:
    match node.get("type"):
        case None:
            return {"x-kubernetes-int-or-string", "pattern", "maxLength", "minimum"} <= set(node)
        case "string":
            return "enum" in node or "maxLength" in node
        case "array":
            return "maxItems" in node
        case "integer" if path.startswith(".spec"):
            return "minimum" in node and "maximum" in node
        case "object" if "additionalProperties" in node:
            return "maxProperties" in node
    return True


@kinds
def test_nothing_is_said_that_a_crd_cannot_say(kind: Kind) -> None:
    for path, node in schema.nodes(root(kind)):
        assert not FORBIDDEN & set(node), path
        assert node.get("additionalProperties") is not False, path
        assert node.get("type") != "number", path


@kinds
def test_a_status_has_no_defaults(kind: Kind) -> None:
    status = root(kind)["properties"]["status"]
    assert not [path for path, node in schema.nodes(status) if "default" in node]


@kinds
def test_a_crd_stays_small_and_says_its_version(kind: Kind) -> None:
    text = manifest.to_yaml(manifest.definition(kind))
    assert len(text) < 60_000
    assert "&id" not in text
    assert manifest.installed_version(yaml.safe_load(text)) == manifest.CRD_VERSION
    assert manifest.installed_version({"metadata": {}}) == 0


class Sample(Model):
    """A sample."""

    RULES: ClassVar = (Rule("has(self.word)", "set word"),)

    word: Annotated[str, Field(max_length=3)] | None = None
    """A word."""
    size: Quantity = "1Gi"
    """A size."""
    only: Literal["one"] = "one"
    """One value."""
    others: Annotated[list[LocalReference], Field(max_length=2), ListMap("name")] = Field(
        default=[]
    )
    """Others."""
    inner: LocalReference = LocalReference(name="x")
    """An inner one."""


def test_optional_means_absent_and_one_value_is_an_enum() -> None:
    found = schema.structural(Sample)
    properties = found["properties"]
    assert properties["word"] == {"description": "A word.", "maxLength": 3, "type": "string"}
    assert properties["only"]["enum"] == ["one"]
    assert found["x-kubernetes-validations"] == [{"rule": "has(self.word)", "message": "set word"}]
    assert "required" not in found


def test_an_object_by_default_carries_its_fields() -> None:
    properties = schema.structural(Sample)["properties"]
    assert properties["inner"]["default"] == {"name": "x"}
    assert "default" not in properties["others"]
    assert properties["others"]["x-kubernetes-list-map-keys"] == ["name"]
    assert "default" not in schema.structural(Sample, defaults=False)["properties"]["size"]


class Endless(Model):
    """Contains itself."""

    again: "Endless | None" = None
    """Itself."""


class Broken(Model):
    """Has a float."""

    share: float
    """A float."""


@pytest.mark.parametrize(("model", "words"), [(Endless, "contains itself"), (Broken, "no floats")])
def test_what_a_crd_cannot_say_is_an_error(model: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        schema.structural(model)
