"""No field of a spec is for show: each is read by the platform, or handed on to the pod as it is.

By its name, which another field may share, so a field that is read nowhere is found and one that is
read in vain is not.
"""

import ast
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

import pytest

from coxswain.api.agent import AgentSpec
from coxswain.api.job import JobSpec
from coxswain.api.lease import LeaseSpec
from coxswain.api.meta import Model
from coxswain.api.schedule import ScheduleSpec
from tests.architecture.test_places import SOURCES
from tests.support import source

SPECS = (AgentSpec, JobSpec, ScheduleSpec, LeaseSpec)
# Kubernetes reads these: they stand in the pod's manifest as they stand in the spec.
HANDED_ON = ("Scheduling", "Toleration", "Seccomp", "AppArmor", "SELinux")
API = "/coxswain/api/"


def models(model: type[Model], seen: set[type[Model]]) -> Iterator[type[Model]]:
    """A model and all below it, each once."""
    if model in seen:
        return
    seen.add(model)
    yield model
    for field in model.model_fields.values():
        for each in _named(field.annotation):
            yield from models(each, seen)


def _named(annotation: Any) -> Iterator[type[Model]]:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for each in get_args(annotation):
        yield from _named(each)


def unread(model: type[Model], attributes: set[str], texts: set[str]) -> list[str]:
    """The fields of a model that nothing reads, by attribute or by its name in YAML."""
    return [
        f"{model.__name__}.{name}"
        for name, field in model.model_fields.items()
        if name not in attributes and field.alias not in texts
    ]


@cache
def _read() -> tuple[set[str], set[str]]:
    """Attributes that the product reads, but for rules of the types; texts outside of the types."""
    attributes, texts = set[str](), set[str]()
    for path in SOURCES:
        nodes = source.nodes(path)
        in_types = API in str(path)
        in_rules = {id(each) for each in _rules(nodes)} if in_types else set[int]()
        for node in nodes:
            if isinstance(node, ast.Attribute) and id(node) not in in_rules:
                attributes.add(node.attr)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and not in_types:
                texts.add(node.value)
    return attributes, texts


def _rules(nodes: tuple[ast.AST, ...]) -> Iterator[ast.AST]:
    """Everything inside of ``RULES``: a rule refuses values, and does nothing with them."""
    for node in nodes:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "RULES":
            yield from ast.walk(node)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.__name__)
def test_every_field_of_a_spec_is_read_or_handed_on(spec: type[Model]) -> None:
    found = [each for each in models(spec, set()) if each.__name__ not in HANDED_ON]
    assert found
    assert [field for each in found for field in unread(each, *_read())] == []


def test_a_field_that_is_for_show_is_found() -> None:
    class Shown(Model):
        for_show_alone: int = 0
        read_by_name: int = 0

    assert unread(Shown, {"read_by_name"}, set()) == ["Shown.for_show_alone"]
    assert unread(Shown, {"read_by_name"}, {"forShowAlone"}) == []
