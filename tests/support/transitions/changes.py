"""Good and bad changes of a spec, one property at a time, and walks of good ones.

What is good or bad here follows from the schema; the models have the last word on rules over several
fields. That the API server agrees with both is for the tests to see.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, TypeVar

from pydantic import ValidationError
from typing_extensions import override

from coxswain.api.meta import Model
from tests.support.refused import MODELS
from tests.support.transitions import properties, samples
from tests.support.transitions.properties import Property

Body = dict[str, Any]
Steps = tuple[str | int, ...]
T = TypeVar("T")
GONE = object()
_BROKEN = ("\0", " ", "a b", "!", "_Ab-")
_WRONG = {"string": 7, "integer": "x", "boolean": "x", "array": "x", "object": "x"}


@dataclass(frozen=True)
class Change:
    """One property of one good spec put to another value."""

    of: Property
    label: str
    before: Body
    after: Body
    place: str
    """Where, as the API server names it: spec.models[0].alias."""

    @override
    def __str__(self) -> str:
        return f"{self.of.kind}.{self.of.path} {self.label}"


@cache
def good(kind: str) -> tuple[Change, ...]:
    """Each property of each sample put to another good value, and taken away where it may be."""
    return tuple(
        change
        for spec in samples.SPECS[kind]
        for each in properties.of(kind)
        for change in _good(each, spec)
    )


@cache
def bad(kind: str) -> tuple[Change, ...]:
    """Each property of each sample put to values that its schema refuses, once for each property."""
    found = (
        change
        for spec in samples.SPECS[kind]
        for each in properties.of(kind)
        for change in _bad(each, spec)
    )
    return tuple({str(change): change for change in found}.values())


def touched(kind: str, changes: Iterable[Change]) -> set[str]:
    """The properties that changes are of; one that only holds others is touched with these."""
    direct = {each.of.path for each in changes}
    return {
        each.path
        for each in properties.of(kind)
        if any(path == each.path or _is_below(path, each.path) for path in direct)
    }


def _is_below(path: str, outer: str) -> bool:
    return path.startswith((f"{outer}.", f"{outer}[", f"{outer}{{"))


def fits(kind: str, spec: Body) -> bool:
    """Whether the model takes a spec."""
    try:
        MODELS[kind].model_validate(spec)
    except ValidationError:
        return False
    return True


def meaning(kind: str, spec: Body) -> Model:
    """A spec with its defaults: two that mean the same are equal."""
    return MODELS[kind].model_validate(spec)


def is_fixed(change: Change) -> str:
    """The words in which a good change is refused, since its field never changes; none where it does."""
    words = properties.fixed(change.of.kind).get(change.of.head)
    if words is not None:
        return words
    was = change.before.get("workspace", {})
    if (
        change.of.kind == "Agent"
        and change.of.head == "workspace"
        and was.get("type") == "Persistent"
    ):
        kept = ("type", "size", "storageClassName")
        now = change.after.get("workspace", {})
        is_same = all(was.get(each) == now.get(each) for each in kept)
        return "" if is_same else "a persistent workspace keeps its type, size and class"
    if change.before.get("cancel") and not change.after.get("cancel"):
        return "cancel goes one way"
    return ""


def walk(kind: str, begin: Body, length: int, random: Random) -> list[Body]:
    """Specs that follow from each other by good changes of any property that may change.

    What was taken away comes back by a step to the beginning.
    """
    found = [begin]
    while len(found) <= length:
        spec = found[-1]
        wanted = [each for each in properties.of(kind) if each.head not in properties.fixed(kind)]
        made = [change for each in wanted for change in _good(each, spec)]
        free = [change.after for change in made if not is_fixed(change)]
        found.append(random.choice(free or [begin]))
    return found


def _good(each: Property, spec: Body) -> Iterator[Change]:
    for steps in _places(spec, each.path):
        for label, value in _good_values(each, _at(spec, steps)):
            after = _put(spec, steps, value)
            _beside(_at(after, steps[:-1]), _of(samples.BESIDE, each) or {})
            if fits(each.kind, after) and meaning(each.kind, after) != meaning(each.kind, spec):
                yield Change(each, label, spec, after, written(steps))


def _bad(each: Property, spec: Body) -> Iterator[Change]:
    if each.path in samples.NEVER:
        *outer, name = each.path.split(".")
        value = True if each.node["type"] == "boolean" else "k"
        after = _put(spec, (*outer, name), value)
        yield Change(each, "never", spec, after, written(tuple(outer)))
    for steps in _places(spec, each.path):
        for label, value in _bad_values(each, _at(spec, steps)):
            place = "nonsense" if label == "unknown" else written(steps)
            yield Change(each, label, spec, _put(spec, steps, value), place)


def _good_values(each: Property, value: Any) -> Iterator[tuple[str, Any]]:
    if not each.is_required:
        yield "absent", GONE
    yield from (("other", other) for other in _others(each, value) if _takes(each.node, other))


def _others(each: Property, value: Any) -> list[Any]:
    node = each.node
    if chosen := _of(samples.NEXT, each):
        return list(chosen)
    if "enum" in node:
        return [other for other in node["enum"] if other != value]
    match value:
        case bool():
            return [not value]
        case int():
            return [value + 1, node.get("maximum", value - 1), node.get("minimum", value - 1)]
        case str() if node.get("x-kubernetes-int-or-string"):
            return [re.sub(r"[0-9]+", lambda found: str(int(found[0]) + 1), value)]
        case str():
            return [f"{value}2"]
        case list() if len(value) > 1:
            return [value[:-1]]
        case _:
            return []


def _of(table: Mapping[str, T], each: Property) -> T | None:
    """What a table has by the end of the property's path."""
    ends = (value for end, value in table.items() if f".{each.path}".endswith(f".{end}"))
    return next(ends, None)


def _takes(node: Body, value: Any) -> bool:
    if isinstance(value, str) and "maxLength" in node:
        shortest, longest = node.get("minLength", 0), node["maxLength"]
        is_so_long = shortest <= len(value) <= longest
        return is_so_long and re.fullmatch(node.get("pattern", "(?s).*"), value) is not None
    return True


def _bad_values(each: Property, value: Any) -> Iterator[tuple[str, Any]]:
    node = each.node
    if each.is_required:
        yield "missing", GONE
    if node.get("x-kubernetes-int-or-string"):
        yield "wrong type", []
        yield "pattern", "-1"
        yield "maximum", node["maximum"] + 1
        return
    yield "wrong type", _WRONG[node["type"]]
    yield from _bad_scalars(node, value)
    if node.get("minItems"):
        yield "minItems", []
    if "maxItems" in node:
        yield "maxItems", [value[0]] * (node["maxItems"] + 1)
    if "maxProperties" in node:
        yield "maxProperties", {f"n{n}": "1" for n in range(node["maxProperties"] + 1)}
    if "properties" in node:
        yield "unknown", {**value, "nonsense": 1}


def _bad_scalars(node: Body, value: Any) -> Iterator[tuple[str, Any]]:
    if "enum" in node:
        yield "enum", "Nobody"
    if "minimum" in node:
        yield "minimum", node["minimum"] - 1
    if "maximum" in node:
        yield "maximum", node["maximum"] + 1
    if node.get("minLength"):
        yield "minLength", ""
    if "maxLength" in node:
        yield "maxLength", "a" * (node["maxLength"] + 1)
    if "pattern" in node:
        yield "pattern", _broken(node["pattern"], value)


def _broken(pattern: str, value: str) -> str:
    tried = (*_BROKEN, *(value + each for each in _BROKEN))
    return next(each for each in tried if re.fullmatch(pattern, each) is None)


def _places(value: Any, path: str, before: Steps = ()) -> Iterator[Steps]:
    """Where a path leads in a value: every item of a list, every key of a map."""
    found = re.match(r"\.?(\[\]|\{\}|[^.\[{]+)(.*)", path)
    if found is None:
        yield before
        return
    step, rest = found.groups()
    keys: Iterable[str | int] = [step] if step in value else []
    if step == "[]":
        keys = range(len(value))
    elif step == "{}":
        keys = list(value)
    for key in keys:
        yield from _places(value[key], rest, (*before, key))


def _at(spec: Any, steps: Steps) -> Any:
    for step in steps:
        spec = spec[step]
    return spec


def _put(spec: Body, steps: Steps, value: Any) -> Body:
    made = deepcopy(spec)
    place: Any = _at(made, steps[:-1])
    if value is GONE:
        del place[steps[-1]]
    else:
        place[steps[-1]] = deepcopy(value)
    return made


def _beside(place: Body, more: Body) -> None:
    for name, value in more.items():
        if value is None:
            place.pop(name, None)
        else:
            place[name] = value


def written(steps: Steps) -> str:
    """A place as the API server writes it."""
    return "spec" + "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in steps)
