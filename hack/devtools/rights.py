"""Rights that the chart gives and nobody ever used, by what the API servers of a whole tier were asked.

Unlike most of this package it needs the environment: it reads YAML. A grant is used where its account
asked for its verb on its resource in its place and was not refused; names of objects are not compared.
"""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from typing_extensions import override

from devtools import charts, ledger, places
from devtools.errors import ToolError

CHART = charts.CHARTS / "coxswain"
EXCEPTIONS = places.REPOSITORY / "hack" / "gates" / "rights.toml"
HOME, ANY = "home", "any"
WORKSPACE = "workspace"
Body = dict[str, Any]


class Use(NamedTuple):
    """One sort of request: by which account of the chart, what, and where."""

    account: str
    """Such as ``operator``."""
    verb: str
    resource: str
    """With its group and subresource, such as ``jobs.coxswain.dev/status``."""
    place: str
    """``home``, ``workspace`` or, of a grant, ``any``."""

    @override
    def __str__(self) -> str:
        return f"{self.account}: {self.verb} {self.resource} ({self.place})"


@dataclass(frozen=True)
class Kept:
    """A grant that stays although no run of the tier uses it, and why."""

    use: Use
    reason: str
    shown: str
    """A test of another tier that uses it; empty where nothing can."""


def resource_of(group: str, resource: str, subresource: str = "") -> str:
    """One word for what a request is about."""
    plain = f"{resource}.{group}" if group else resource
    return f"{plain}/{subresource}" if subresource else plain


def granted(objects: Iterable[Body], release: str = "coxswain") -> set[Use]:
    """Every verb that bindings of a rendered chart give to its accounts."""
    listed = list(objects)
    rules = {
        (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]): each["rules"]
        for each in listed
        if each["kind"] in ("Role", "ClusterRole")
    }
    found: set[Use] = set()
    for binding in listed:
        if binding["kind"] not in ("RoleBinding", "ClusterRoleBinding"):
            continue
        namespace = binding["metadata"].get("namespace")
        role = binding["roleRef"]
        place = namespace if role["kind"] == "Role" else None
        for subject in binding["subjects"]:
            account = subject["name"].removeprefix(f"{release}-")
            of_role = rules[role["kind"], place, role["name"]]
            found.update(_uses(account, of_role, _place(namespace)))
    return found


def seen(folder: Path) -> set[Use]:
    """What the API servers of a run were asked, from the files that each has left."""
    files = sorted(folder.glob("*.json"))
    return {Use(*each) for path in files for each in json.loads(path.read_text())}


def exceptions(path: Path = EXCEPTIONS) -> list[Kept]:
    """The page of those that stay."""
    said = tomllib.loads(path.read_text())["exception"]
    return [
        Kept(
            Use(each["account"], each["verb"], each["resource"], each["place"]),
            each["reason"],
            each.get("shown", ""),
        )
        for each in said
    ]


def faults(given: set[Use], used: set[Use], kept: Mapping[Use, Kept]) -> Iterator[str]:
    """Grants that nobody used and no exception names, then exceptions that are none."""
    for each in sorted(given):
        if not _is_used(each, used) and each not in kept:
            yield f"{each} is granted, and was not used: take it back, or say why in {EXCEPTIONS.name}"
    for each in sorted(kept):
        if each not in given:
            yield f"{each} is excepted in {EXCEPTIONS.name}, and not granted"
        elif _is_used(each, used):
            yield f"{each} is excepted in {EXCEPTIONS.name}, and was used"


def check(folder: Path) -> str:
    """Compare all sets of values with a run of the tier; a line, or ToolError with what is wrong."""
    used = seen(folder)
    if not used:
        raise ToolError(f"{folder} holds nothing that was asked", "hack/test apiserver fills it")
    given = set[Use]()
    for values in charts.cases(CHART):
        given |= granted(each for each in yaml.safe_load_all(charts.render(CHART, *values)) if each)
    kept = {each.use: each for each in exceptions()}
    unknown = [each.shown for each in kept.values() if each.shown and not ledger.exists(each.shown)]
    wrong = [*faults(given, used, kept), *(f"there is no test {each}" for each in unknown)]
    if wrong:
        raise ToolError("\n".join(wrong), "docs/gates.md says which test uses what")
    return f"{len(given)} rights, of which {len(kept)} are not used here and have a reason"


def _uses(account: str, rules: Iterable[Body], place: str) -> Iterator[Use]:
    for rule in rules:
        for group in rule["apiGroups"]:
            for word in rule["resources"]:
                plural, _, subresource = word.partition("/")
                for verb in rule["verbs"]:
                    yield Use(account, verb, resource_of(group, plural, subresource), place)


def _place(namespace: str | None) -> str:
    if namespace is None:
        return ANY
    return HOME if namespace == charts.NAMESPACE else WORKSPACE


def _is_used(grant: Use, used: set[Use]) -> bool:
    if grant.place != ANY:
        return grant in used
    return any(each[:3] == grant[:3] for each in used)
