"""What comes in as events is checked against its type before anything is written.

Fields that a type does not name are kept: a program may be newer than the platform. Fields that it
names have to fit.
"""

from typing import Any

from pydantic import ValidationError

from coxswain.api.contract import EVENT_BYTES
from coxswain.api.event_type import EventType, Writer
from coxswain.api.event_types import registry
from coxswain.errors import UserError
from coxswain.store import pool
from coxswain.web import problems, reading

# Deeper than anybody reads, and far from where readers of JSON give up.
DEPTH = 64
_SUSPECT = ("\\u0000", "NaN", "Infinity")


def check(writer: Writer, name: str, version: int, details: dict[str, Any], *, place: str) -> None:
    """Raise UserError, naming the field below ``place``, unless this writer may tell that."""
    encoded = _bounded(details, f"{place}.details")
    if registry.is_free(name, writer):
        return
    found = _type(writer, name, version, place)
    try:
        # As the published schema judges: "5" is no number, and a field has one name.
        found.data.model_validate_json(
            encoded, strict=True, extra="ignore", by_alias=True, by_name=False
        )
    except ValidationError as error:
        raise reading.refusal(error, f"{place}.details.") from error


def text(value: str, place: str) -> None:
    """Raise UserError where the database could not keep a text."""
    if "\0" in value:
        raise UserError("a text holds no NUL: take it out", field=place)


def _type(writer: Writer, name: str, version: int, place: str) -> EventType[Any]:
    known = registry.VERSIONS.get(name, ())
    found = registry.TABLE.get((name, version))
    if found is not None and found.writer is writer:
        return found
    if known and registry.TABLE[name, known[-1]].writer is not writer:
        raise UserError(f"{name} is told by the platform alone", field=f"{place}.type")
    if known:
        shown = ", ".join(map(str, known))
        raise UserError(f"{name} has version {shown}", field=f"{place}.eventVersion")
    free = next(each.prefix for each in registry.FREE if each.writer is writer)
    types = ", ".join(registry.written_by(writer)) or "none"
    raise UserError(
        f"there is no type {name}; there are: {types}; a type of your own begins with {free}",
        field=f"{place}.type",
    )


def _bounded(details: dict[str, Any], place: str) -> str:
    """The details as they are kept. Raises UserError where they could not be."""
    try:
        encoded = pool.encode(details)
        size = len(encoded.encode())
    except (RecursionError, UnicodeEncodeError) as error:
        raise UserError("this is too deep, or no text of Unicode", field=place) from error
    if size > EVENT_BYTES:
        raise UserError(
            f"an event holds at most {EVENT_BYTES} bytes; keep more as an artifact",
            code=problems.TOO_LARGE,
            field=place,
        )
    if encoded.count("[") + encoded.count("{") > DEPTH or any(each in encoded for each in _SUSPECT):
        _walk(details, place, DEPTH)
    return encoded


def _walk(value: Any, place: str, left: int) -> None:
    if left == 0:
        root = f"{place.partition('.details')[0]}.details"
        raise UserError(f"this is more than {DEPTH} levels deep", field=root)
    match value:
        case str():
            text(value, place)
        case float() if value != value or value in (float("inf"), float("-inf")):
            raise UserError("JSON has no such number", field=place)
        case dict():
            for name, each in value.items():
                text(name, place)
                _walk(each, f"{place}.{name}", left - 1)
        case list():
            for number, each in enumerate(value):
                _walk(each, f"{place}.{number}", left - 1)
        case _:
            pass
