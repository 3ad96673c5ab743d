"""Answers of the API as they were when they were new: all that each had, and the least.

They are files, never edited: a new field is no reason to. ``python -m tests.support.golden_answers`` adds
those of new answers. What breaks one of these breaks a client of that day.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin
from uuid import UUID

from coxswain.api.meta import Model
from coxswain.client import models

FILE = Path(__file__).parents[1] / "golden" / "answers.json"
VALUES: dict[str, Any] = {
    "str": "text",
    "int": 7,
    "bool": True,
    "float": 0.5,
    "datetime": "2026-11-21T03:00:00Z",
    "UUID": str(UUID(int=7)),
    "Any": {"deep": [1]},
}
NEWER = {"newer": {"deep": [{"er": 1}]}}
Payload = dict[str, Any]


def answers() -> dict[str, type[Model]]:
    """Every answer that the client reads, and what stands in them."""
    found = {
        name: kind
        for name, kind in vars(models).items()
        if isinstance(kind, type) and issubclass(kind, Model)
    }
    assert found
    return found


def golden() -> dict[str, dict[str, Payload]]:
    """By name of the answer: ``all`` and ``least``."""
    found: dict[str, dict[str, Payload]] = json.loads(FILE.read_text())
    return found


def filled(kind: type[Model], *, least: bool) -> Payload:
    """An answer of today, with a value for each field, or only for those that it always has."""
    return {
        field.alias or name: _value(field.annotation, least=least)
        for name, field in kind.model_fields.items()
        if field.is_required() or not least
    }


def with_more(kind: type[Model], payload: Payload) -> Payload:
    """The same of a newer platform: more fields, at every level."""
    found = dict(payload)
    for name, field in kind.model_fields.items():
        key = field.alias or name
        if key in found:
            found[key] = _with_more(field.annotation, found[key])
    return found | NEWER


def breaks(kind: type[Model], payloads: Mapping[str, Payload]) -> Iterator[str]:
    """What a client of that day would miss in an answer of today."""
    for name, value in payloads["all"].items():
        if name not in _fields(kind):
            yield f"{name} is gone"
        elif _form(filled(kind, least=False)[name]) != _form(value):
            yield f"{name} has another form"
    for name in payloads["least"]:
        if name in _fields(kind) and not _fields(kind)[name]:
            yield f"{name} may be missing"


def _fields(kind: type[Model]) -> dict[str, bool]:
    return {field.alias or name: field.is_required() for name, field in kind.model_fields.items()}


def _form(value: Any) -> Any:
    """What sort of value: what stands in one that is an answer too has a payload of its own."""
    return [_form(each) for each in value[:1]] if isinstance(value, list) else type(value).__name__


def _value(annotation: Any, *, least: bool) -> Any:
    kind = _plain(annotation)
    inner = get_args(kind)
    if isinstance(kind, type) and issubclass(kind, Model):
        return filled(kind, least=least)
    if get_origin(kind) is list:
        return [_value(inner[0], least=least)]
    if inner:
        return {"key": _value(inner[1], least=least)}
    return VALUES[getattr(kind, "__name__", str(kind))]


def _with_more(annotation: Any, value: Any) -> Any:
    kind = _plain(annotation)
    if isinstance(kind, type) and issubclass(kind, Model):
        return with_more(kind, value)
    if get_origin(kind) is list:
        return [_with_more(get_args(kind)[0], each) for each in value]
    return value


def _plain(annotation: Any) -> Any:
    """Of a union its first part that is a value."""
    if get_origin(annotation) in {Union, UnionType}:
        return next(each for each in get_args(annotation) if each is not NoneType)
    return annotation


def _add() -> None:
    found = golden() if FILE.exists() else {}
    for name, kind in answers().items():
        now = {"all": filled(kind, least=False), "least": filled(kind, least=True)}
        found.setdefault(name, now)
    lines = [f"{json.dumps(name)}: {json.dumps(found[name])}" for name in sorted(found)]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    _add()
