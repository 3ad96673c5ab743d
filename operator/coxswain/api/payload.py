"""JSON that people and programs hand over: as text, bounded in bytes, depth and number of values.

Text and not a free object in the kind: the API server cannot bound the depth of a free object, and
one that is deep enough stops whoever reads the list that it is in.
"""

import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn

from coxswain.errors import UserError

INPUT_BYTES = 65_536
OUTPUT_BYTES = 262_144
DEPTH = 32
VALUES = 10_000


def read(text: str, *, most_bytes: int, field: str) -> Any:
    """The value of a JSON text. Raises UserError that names the field and what was wanted."""
    size = len(text.encode(errors="replace"))
    if size > most_bytes:
        raise UserError(f"{field}: {size} bytes are more than {most_bytes}", field=field)
    try:
        value = json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise _too_deep(field) from error
    except ValueError as error:
        raise UserError(f"{field}: this is not JSON: {error}", field=field) from error
    for count, (each, depth) in enumerate(_walk(value), 1):
        if count > VALUES:
            raise UserError(f"{field}: more than {VALUES} values, names included", field=field)
        _check(each, depth, field)
    return value


def read_object(text: str, *, most_bytes: int, field: str) -> dict[str, Any]:
    """The same for a text that must be an object."""
    value = read(text, most_bytes=most_bytes, field=field)
    if not isinstance(value, dict):
        raise UserError(f"{field}: this is not a JSON object", field=field)
    return value


def count(value: object) -> int:
    """How many values it holds, names included."""
    return sum(1 for _ in _walk(value))


def canonical(value: object) -> str:
    """The one text of a value: keys sorted, no spaces."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def _walk(value: object) -> Iterator[tuple[object, int]]:
    """Every value inside, keys too, with its depth; without recursion."""
    left: list[tuple[object, int]] = [(value, 1)]
    while left:
        each, depth = left.pop()
        yield each, depth
        if isinstance(each, dict):
            left += [(inner, depth + 1) for pair in each.items() for inner in pair]
        elif isinstance(each, list):
            left += [(inner, depth + 1) for inner in each]


def _check(value: object, depth: int, field: str) -> None:
    if depth > DEPTH + 1:
        raise _too_deep(field)
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{field}: a number is too large", field=field)
    if isinstance(value, str) and any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value):
        raise UserError(f"{field}: a text holds a NUL or half of a surrogate pair", field=field)


def _too_deep(field: str) -> UserError:
    return UserError(f"{field}: nested deeper than {DEPTH} levels", field=field)


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")
