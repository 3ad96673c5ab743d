"""What may stand in the specs of our kinds, read off the CRDs as generated."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Body = dict[str, Any]
CRDS = Path(__file__).parents[3] / "crds"
_FIXED = re.compile(r"^(\w+) is fixed once the \w+ is made; make another \w+$")


@dataclass(frozen=True)
class Property:
    """One property of a spec: ``models[].alias``, ``resources.limits{}``, ``suspend``."""

    kind: str
    path: str
    node: Body
    """Its part of the schema."""
    is_required: bool

    @property
    def head(self) -> str:
        """The field of the spec that it stands in."""
        return re.split(r"[.\[{]", self.path)[0]


@cache
def schemas() -> dict[str, Body]:
    """The schema of each kind's spec."""
    found = {}
    for file in sorted(CRDS.glob("*.yaml")):
        spec = yaml.safe_load(file.read_text())["spec"]
        whole = spec["versions"][0]["schema"]["openAPIV3Schema"]
        found[spec["names"]["kind"]] = whole["properties"]["spec"]
    return found


@cache
def of(kind: str) -> tuple[Property, ...]:
    """Every property of a kind's spec, the outer before the inner."""
    return tuple(_below(kind, schemas()[kind], ""))


@cache
def fixed(kind: str) -> dict[str, str]:
    """The fields that never change, and the words in which a change is refused."""
    rules = schemas()[kind].get("x-kubernetes-validations", [])
    found = (_FIXED.match(rule["message"]) for rule in rules)
    return {match[1]: match[0] for match in found if match}


def _below(kind: str, node: Body, path: str) -> Iterator[Property]:
    for name, child in node.get("properties", {}).items():
        place = f"{path}.{name}" if path else name
        yield Property(kind, place, child, name in node.get("required", ()))
        yield from _below(kind, child, place)
    for mark, key in (("[]", "items"), ("{}", "additionalProperties")):
        if isinstance(child := node.get(key), dict):
            yield Property(kind, path + mark, child, is_required=False)
            yield from _below(kind, child, path + mark)
