"""How a handler's text takes in a Job's input: {{field}} stands for a field of the top level.

In a prompt anywhere; in a command only as a whole argument, so that nothing of the input is ever
read by a shell that was not asked to.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from coxswain.api import payload

_PLACE = re.compile(r"\{\{ *([A-Za-z_][A-Za-z0-9_]*) *\}\}")


def fields(texts: Sequence[str]) -> frozenset[str]:
    """The fields that these texts name."""
    return frozenset(name for text in texts for name in _PLACE.findall(text))


def half_arguments(command: Sequence[str]) -> list[str]:
    """Arguments in which a field is only a part."""
    return [each for each in command if _PLACE.search(each) and not _PLACE.fullmatch(each)]


def prompt(template: str, given: Mapping[str, Any]) -> str:
    """The prompt; a text stands as it is, another value as JSON, one that is missing as nothing."""
    return _PLACE.sub(lambda match: _text(given.get(match[1])), template)


def command(template: Sequence[str], given: Mapping[str, Any]) -> list[str]:
    """The arguments; a list gives one for each of its items, a missing value gives none."""
    found: list[str] = []
    for each in template:
        match = _PLACE.fullmatch(each)
        value = given.get(match[1]) if match is not None else each
        values = value if isinstance(value, list) else [value]
        found += [_text(item) for item in values if item is not None]
    return found


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else payload.canonical(value)
