"""Keys that users may have written down: what breaks them is told in the changelog, or refused."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from coxswain.settings import Settings
from devtools import described, inventory, processes, reference

WAS: dict[str, dict[str, Any]] = {
    "sidecar COXSWAIN_PORT": {"type": "integer"},
    "values people.mode": {"type": "string", "words": ["local", "oidc"]},
    "values mode": {"type": "string"},
}


def test_what_stands_as_it_was_is_no_fault() -> None:
    assert inventory.faults(WAS, WAS, "") == []


@pytest.mark.parametrize(
    ("key", "now", "fault"),
    [
        ("sidecar COXSWAIN_PORT", None, "sidecar COXSWAIN_PORT is gone"),
        (
            "sidecar COXSWAIN_PORT",
            {"type": "string"},
            "sidecar COXSWAIN_PORT was of type integer and is of type string",
        ),
        (
            "values people.mode",
            {"type": "string", "words": ["oidc", "kubernetes"]},
            "values people.mode may no longer be local",
        ),
        ("values mode", {"type": "string", "required": True}, "values mode has become required"),
        ("values new", {"type": "string", "required": True}, "values new is new and required"),
    ],
)
def test_what_breaks_users_is_a_fault_until_the_changelog_names_it(
    key: str, now: dict[str, Any] | None, fault: str
) -> None:
    left = {name: each for name, each in WAS.items() if name != key}
    current = left if now is None else {**left, key: now}
    assert inventory.faults(WAS, current, "- Added `COXSWAIN_PORT`, `mode`, `new`.\n") == [fault]
    # What is at fault stays as it was, so that it is found again.
    kept = json.loads(inventory.written(WAS, current, ""))
    assert kept.get(key) == WAS.get(key, now)
    name = key.partition(" ")[2]
    told = f"# Changelog\n\n- Something else.\n- Changed: one is\n  not `{name}` as before.\n"
    assert inventory.faults(WAS, current, told) == []
    assert json.loads(inventory.written(WAS, current, told)) == current


def test_what_was_told_of_an_older_version_excuses_no_change_of_this_one() -> None:
    now = {name: each for name, each in WAS.items() if name != "values mode"}
    word = "- Removed `mode`.\n"
    older = f"# Changelog\n\n## 0.2.0, not released\n\n- New.\n\n## 0.1.0\n\n{word}"
    assert inventory.faults(WAS, now, older) == ["values mode is gone"]
    assert json.loads(inventory.written(WAS, now, older)) == WAS
    newest = f"# Changelog\n\n## 0.2.0, not released\n\n{word}\n## 0.1.0\n\n- First.\n"
    assert inventory.faults(WAS, now, newest) == []


def test_what_is_added_or_may_be_more_is_no_fault() -> None:
    wider = {"type": "string", "words": ["local", "oidc", "kubernetes"]}
    now = {**WAS, "values people.mode": wider, "values new": {"type": "boolean"}}
    assert inventory.faults(WAS, now, "") == []
    assert json.loads(inventory.written(WAS, now, "")) == now


def test_nothing_that_users_have_is_broken_by_this_version() -> None:
    assert inventory.INVENTORY.exists()
    assert inventory.all_faults() == []


def test_no_settings_of_a_process_are_forgotten() -> None:
    def leaves(model: type[Settings]) -> Iterator[type[Settings]]:
        children = [
            each for each in model.__subclasses__() if each.__module__.startswith("coxswain")
        ]
        for child in children:
            yield from leaves(child)
        if not children:
            yield model

    assert set(leaves(Settings)) == set(processes.PROCESSES.values())


@pytest.mark.parametrize("process", processes.PROCESSES)
def test_every_setting_is_described(process: str) -> None:
    assert not [each.name for each in processes.variables(process) if not each.field.description]


def test_every_value_is_described_and_what_is_no_part_of_a_list_has_a_default() -> None:
    defaults = yaml.safe_load(reference.VALUES.read_text())
    for path, node, _ in described.leaves(reference.schema()):
        assert node.get("description"), path
        if path != "global" and "[]" not in path and ".*" not in path:
            found = defaults
            for part in path.split("."):
                assert part in found, path
                found = found[part]


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 9}, "integer from 1 to 9"),
        ({"type": "number", "exclusiveMinimum": 0}, "number above 0"),
        ({"enum": ["a", "b"]}, "`a`, `b`"),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, "true or false"),
        ({"type": ["string", "integer"]}, "text or integer"),
        ({"type": "string", "format": "password"}, "secret text"),
        (
            {"type": "string", "pattern": "^a$", "maxLength": 3},
            "text of 0 to 3 characters like `^a$`",
        ),
        (
            {"type": "array", "maxItems": 3, "items": {"$ref": "#/definitions/n"}},
            "list (0 to 3) of integer",
        ),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "map of text"),
        ({"type": "object", "properties": {"a": {}, "b": {}}}, "map with `a`, `b`"),
    ],
)
def test_a_schema_in_words(node: dict[str, Any], words: str) -> None:
    assert described.kind(node, {"definitions": {"n": {"type": "integer"}}}) == words
