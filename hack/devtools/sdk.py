"""The parts of the Python client that are made: its models, its operations, and its form without ``await``."""

import importlib
import inspect
import pkgutil
import re
import subprocess
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import Enum
from itertools import groupby
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

from pydantic.fields import FieldInfo

from coxswain import sidecar
from coxswain.api.meta import Model
from coxswain.rules.permissions import TABLE
from coxswain.web import routes
from coxswain.web.routes import Route
from devtools import environment, places

CLIENT = Path("operator/coxswain/client")
SOURCE = CLIENT / "asynchronous"
TARGET = CLIENT / "synchronous"
MODELS = CLIENT / "models"
PACKAGE = "coxswain.client.models"
BY_HAND = frozenset({"__init__.py", "waiting.py"})
NOTE = "# Made by hack/generate from {}; do not edit.\n"
# Said to it, since what is not written yet is nobody's for all it knows.
OURS = 'lint.isort.known-first-party=["coxswain"]'
SORT = ["check", "--select", "I,F401", "--fix", "--quiet", "--config", OURS]
PLAIN = {str: "str", int: "int", bool: "bool", float: "float", datetime: "datetime", UUID: "UUID"}
WITHOUT_AWAIT = (
    (r"\basync ", ""),
    (r"\bawait ", ""),
    (r"\bAsyncGenerator\[([^\n]+), None\]", r"Generator[\1, None, None]"),
    (r"\bAsync(Client|Generator|Iterator|BaseTransport)\b", r"\1"),
    (r"\basynccontextmanager\b", "contextmanager"),
    (r"\b__a(enter|exit)__\b", r"__\1__"),
    (r"\ba(close|read|iter_bytes)\b", r"\1"),
    (r"\basynchronous\b", "synchronous"),
)

MODELS_HEAD = '''"""Answers of the API: {}."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from coxswain.api.meta import Model
'''
MODELS_DOC = '"""What the API answers, as types: open to fields that a newer version adds."""\n'
OPERATIONS_HEAD = '''"""The routes of the API for people and machines, each with what it answers."""

from coxswain.client import models
from coxswain.client.requests import Operation
'''


def files() -> dict[Path, str]:
    """Every file that is made, by its path in the repository."""
    served = _served()
    found = {CLIENT / "operations.py": _note("operator/coxswain/sidecar") + _operations(served)}
    for name, text in _models(served).items():
        found[MODELS / name] = _note("operator/coxswain/sidecar") + text
    for path in sorted((places.REPOSITORY / SOURCE).glob("*.py")):
        if path.name not in BY_HAND:
            found[TARGET / path.name] = _note(str(SOURCE)) + without_await(path.read_text())
    return {path: _formatted(path, text) for path, text in found.items()}


def present() -> Iterator[Path]:
    """Every file that stands where only made ones do."""
    for folder, by_hand in ((TARGET, BY_HAND), (MODELS, frozenset[str]())):
        for path in sorted((places.REPOSITORY / folder).glob("*.py")):
            if path.name not in by_hand:
                yield path.relative_to(places.REPOSITORY)


def without_await(text: str) -> str:
    """A module of the client as it is without ``await``."""
    for pattern, put in WITHOUT_AWAIT:
        text = re.sub(pattern, put, text)
    return text


def _note(source: str) -> str:
    return NOTE.format(source)


def _served() -> list[Route]:
    """The sidecar's routes for people and machines, in the order of the table."""
    found = {f"{each.method} {each.path}": each for each in _routes()}
    return [found[name] for name, row in TABLE.items() if row.is_for_users and name in found]


def _routes() -> Iterator[Route]:
    """Read from the classes that hold them; nothing is called."""
    for each in pkgutil.iter_modules(sidecar.__path__, "coxswain.sidecar."):
        if not each.name.endswith("_routes"):
            continue
        for kind in vars(importlib.import_module(each.name)).values():
            if isinstance(kind, type) and kind.__module__ == each.name and _is_holder(kind):
                yield from routes.of(object.__new__(kind), TABLE)


def _is_holder(kind: type) -> bool:
    return any(hasattr(each, routes._MARK) for each in vars(kind).values())


def _operations(served: list[Route]) -> str:
    lines = []
    for each in served:
        answer = "bytes" if each.answer is None else f"models.{each.answer.__name__}"
        name = each.handler.__name__.upper()
        lines.append(f'{name} = Operation("{each.method}", "{each.path}", {answer})')
    return OPERATIONS_HEAD + "\n" + "\n".join(lines) + "\n"


def _models(served: list[Route]) -> dict[str, str]:
    """A file for each module that models come from, and one that gives all of them."""
    found: dict[str, type[Model]] = {}
    for each in served:
        if each.answer is not None:
            _collect(each.answer, found)
    rooms = groupby(sorted(found.values(), key=_room), _room)
    files = {f"{room}.py": _file(room, list(models)) for room, models in rooms}
    return {**files, "__init__.py": _all(found)}


def _file(room: str, models: list[type[Model]]) -> str:
    parts = {part for model in models for part in _parts_of(model)}
    others = sorted(
        f"{_room(part)} import {part.__name__}" for part in parts if _room(part) != room
    )
    head = MODELS_HEAD.format(room.replace("_", " "))
    needed = "".join(f"from {PACKAGE}.{each}\n" for each in others)
    return head + needed + "".join(_class(model) for model in models)


def _parts_of(model: type[Model]) -> Iterator[type[Model]]:
    for field in model.model_fields.values():
        yield from _parts(field.annotation)


def _room(model: type[Model]) -> str:
    """Named as the module where the API has the model."""
    name = model.__module__.rpartition(".")[2].removesuffix("_wire").removesuffix("_routes")
    return "objects" if name == "wire" else name


def _all(found: Mapping[str, type[Model]]) -> str:
    return MODELS_DOC + "".join(
        f"from {PACKAGE}.{_room(model)} import {name} as {name}\n" for name, model in found.items()
    )


def _collect(model: type[Model], found: dict[str, type[Model]]) -> None:
    """What a model is made of, before itself."""
    if found.get(model.__name__, model) is not model:
        raise TypeError(f"two models of the API are called {model.__name__}")
    if model.__name__ in found:
        return
    for part in _parts_of(model):
        _collect(part, found)
    found[model.__name__] = model


def _parts(annotation: Any) -> Iterator[type[Model]]:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for each in get_args(annotation):
        yield from _parts(each)


def _class(model: type[Model]) -> str:
    lines = [f"\n\nclass {model.__name__}(Model):", _docstring(inspect.getdoc(model) or ""), ""]
    for name, field in model.model_fields.items():
        lines.append(f"    {name}: {_type(field.annotation)}{_default(field)}")
        if field.description:
            lines.append(_docstring(field.description))
    return "\n".join(lines) + "\n"


def _docstring(text: str) -> str:
    """Quoted; with a line of its own for the end where there are many."""
    lines = text.strip().replace("\\", "\\\\").splitlines()
    end = '"""' if len(lines) == 1 else '\n"""'
    return "\n".join(
        f"    {line}".rstrip() for line in f'"""{chr(10).join(lines)}{end}'.splitlines()
    )


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, list | dict | tuple):
        return f" = Field(default_factory={_factory(value)})"
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, Model):
        return f" = Field(default_factory={type(value).__name__})"
    return f" = {value!r}"


def _factory(value: Any) -> str:
    if value:
        raise TypeError(f"a default of {value!r} has no form in the client")
    return "dict" if isinstance(value, dict) else "list"


def _type(annotation: Any) -> str:
    """The widest type that every version of the API answers: words of an enumeration are any words."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation is Any:
        return "Any"
    if isinstance(annotation, type) and annotation in PLAIN:
        return PLAIN[annotation]
    if origin is Annotated:
        return _type(inner[0])
    if origin is Literal or (isinstance(annotation, type) and issubclass(annotation, Enum)):
        return "str"
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation.__name__
    if origin in (Union, UnionType):
        return " | ".join("None" if each is NoneType else _type(each) for each in inner)
    if origin in (list, dict, Mapping) or getattr(origin, "__name__", "") == "Mapping":
        name = origin.__name__
        return f"{name}[{', '.join(_type(each) for each in inner)}]"
    raise TypeError(f"{annotation!r} has no form in the client")


def _formatted(path: Path, text: str) -> str:
    ruff = environment.program("ruff")
    for words in (SORT, ["format", "--quiet"]):
        done = subprocess.run(
            [ruff, *words, "--stdin-filename", path, "-"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
            cwd=places.REPOSITORY,
        )
        text = done.stdout
    return text
