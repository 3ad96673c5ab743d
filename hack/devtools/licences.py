"""Whether each locked package may be shipped with ours, by what its own metadata say of its licence.

What is allowed, and which packages are let through besides, stands in hack/gates/licences.toml.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from importlib import metadata
from pathlib import Path
from typing import Any, cast

from devtools import environment, lockfiles, places

RULES = places.REPOSITORY / "hack" / "gates" / "licences.toml"
PIN = re.compile(r"^(?P<name>[a-z0-9][a-z0-9._-]*)==[^\s;]+ *(?P<marker>;)?", re.M)
UNKNOWN = "unknown"
_CLASSIFIER = "License :: "
_WORD = re.compile(r"[()]|[^\s()]+")


@dataclass(frozen=True)
class Rules:
    """What is allowed: identifiers of SPDX, other names for them, and single packages."""

    allowed: frozenset[str]
    names: Mapping[str, str]
    exceptions: Mapping[str, str]
    """By package: the licence that is let through."""


def rules(path: Path = RULES) -> Rules:
    """The page, read."""
    said: dict[str, Any] = tomllib.loads(path.read_text())
    found = {name: each["licence"] for name, each in said["exceptions"].items() if each["reason"]}
    return Rules(frozenset(said["allowed"]), said["names"], found)


def pins(lock: str) -> dict[str, bool]:
    """The packages of a lock, and whether each is for every machine."""
    return {each["name"]: each["marker"] is None for each in PIN.finditer(lock)}


def said_by(package: Message, names: Mapping[str, str]) -> str:
    """The licence of a package as an expression of SPDX as far as that can be told, or ``unknown``."""
    expression = package["License-Expression"]
    if expression:
        return str(expression)
    text = str(package["License"] or "").strip()
    if text and "\n" not in text:
        return names.get(text, text)
    listed = [
        each.rpartition(" :: ")[2]
        for each in package.get_all("Classifier", [])
        if each.startswith(_CLASSIFIER)
    ]
    found = [names.get(each, each) for each in listed]
    # Several without a word on how they go together: all of them have to be good.
    first = text.partition("\n")[0].strip()
    return " AND ".join(found) or names.get(first, first) or UNKNOWN


def is_allowed(expression: str, allowed: frozenset[str]) -> bool:
    """Whether one of the ways to read it needs nothing but what is allowed."""
    return _either(_WORD.findall(expression), allowed)


def faults(lock: str, installed: Mapping[str, Message], given: Rules) -> Iterator[str]:
    """What has to be looked at, a line each."""
    locked = pins(lock)
    for name, is_everywhere in locked.items():
        if name not in installed:
            if is_everywhere:
                yield f"{name} is locked, and not installed: its licence is not known"
            continue
        licence = said_by(installed[name], given.names)
        if name in given.exceptions:
            if given.exceptions[name] != licence:
                yield f"{name} was let through as {given.exceptions[name]}, and is {licence} now"
        elif not is_allowed(licence, given.allowed):
            yield f"{name} is {licence}: use another package, or say in {RULES.name} why it is good"
    for name in sorted(set(given.exceptions) - set(locked)):
        yield f"{name} is let through in {RULES.name}, and in no lock any more"


def installed(folder: Path | None = None) -> dict[str, Message]:
    """The metadata of every package of an environment, ours if none is given, by its normal name."""
    found = sorted((folder or environment.folder()).glob("lib/python3*/site-packages"))
    listed = metadata.distributions(path=[str(each) for each in found])
    return {_normal(each.metadata["Name"]): cast("Message", each.metadata) for each in listed}


def check() -> str:
    """What has to be looked at in this checkout, or nothing."""
    lock = lockfiles.ROOT_LOCK.read_text()
    return "\n".join(faults(lock, installed(), rules()))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _either(words: list[str], allowed: frozenset[str]) -> bool:
    """OR binds less than AND; what stands in parentheses goes first."""
    parts = _split(words, "OR")
    if len(parts) > 1:
        return any(_either(part, allowed) for part in parts)
    parts = _split(words, "AND")
    if len(parts) > 1:
        return all(_either(part, allowed) for part in parts)
    if words[:1] == ["("] and words[-1:] == [")"]:
        return _either(words[1:-1], allowed)
    return " ".join(words) in allowed


def _split(words: list[str], at: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    depth = 0
    for word in words:
        depth += (word == "(") - (word == ")")
        if word == at and depth == 0:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts
