"""What is published of events: complete, and never changed under the feet of older readers."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from coxswain.api import event_schemas
from coxswain.api.event_types import registry
from coxswain.sidecar.wire import TAKEN, EventView
from coxswain.web import asyncapi
from devtools import event_files, places

Node = dict[str, Any]
ENDED = "attempt.ended.v1"


def _bundle() -> Node:
    found: Node = json.loads((places.REPOSITORY / event_files.SCHEMA).read_text())
    return found


def _adds_a_field(bundle: Node) -> None:
    bundle["$defs"][ENDED]["properties"]["signal"] = {"type": "integer"}


def _says_it_better(bundle: Node) -> None:
    bundle["$defs"][ENDED]["properties"]["pod"]["description"] = "The pod that ran it."


def _adds_a_version(bundle: Node) -> None:
    bundle["$defs"]["attempt.ended.v2"] = {"type": "object", "properties": {}}


def _drops_a_field(bundle: Node) -> None:
    del bundle["$defs"][ENDED]["properties"]["exitCode"]


def _narrows(bundle: Node) -> None:
    bundle["$defs"][ENDED]["properties"]["pod"]["enum"] = ["a", "b"]


def _changes_a_type(bundle: Node) -> None:
    bundle["$defs"][ENDED]["properties"]["pod"] = {"type": "integer"}


def _requires(bundle: Node) -> None:
    bundle["$defs"][ENDED]["required"].append("exitCode")


def _adds_what_is_required(bundle: Node) -> None:
    _adds_a_field(bundle)
    bundle["$defs"][ENDED]["required"].append("signal")


def _requires_less(bundle: Node) -> None:
    bundle["$defs"][ENDED]["required"].remove("pod")


def _drops_a_type(bundle: Node) -> None:
    del bundle["$defs"][ENDED]


def _changes_the_envelope(bundle: Node) -> None:
    del bundle["properties"]["position"]


@pytest.mark.parametrize("change", [_adds_a_field, _says_it_better, _adds_a_version])
def test_what_is_added_breaks_nobody(change: Callable[[Node], None]) -> None:
    changed = copy.deepcopy(_bundle())
    change(changed)
    assert changed != _bundle()
    assert event_files.breaks(_bundle(), changed) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_drops_a_field, f"{ENDED}: exitCode is gone"),
        (_narrows, f"{ENDED}: pod has another form"),
        (_changes_a_type, f"{ENDED}: pod has another form"),
        (_requires, f"{ENDED}: exitCode is required now"),
        (_adds_what_is_required, f"{ENDED}: signal is required now"),
        (_requires_less, f"{ENDED}: pod may be missing now"),
        (_drops_a_type, f"{ENDED} is gone"),
        (_changes_the_envelope, "an event: position is gone"),
    ],
)
def test_what_breaks_a_reader_or_writer_is_found(change: Callable[[Node], None], said: str) -> None:
    changed = copy.deepcopy(_bundle())
    change(changed)
    assert event_files.breaks(_bundle(), changed) == [said]


def test_the_types_break_nobody_who_reads_by_the_committed_schema() -> None:
    assert event_files.breaks(_bundle(), event_schemas.bundle(EventView)) == []


def test_every_type_is_a_message_and_every_reference_leads_somewhere() -> None:
    document = asyncapi.document(EventView, TAKEN)
    messages = document["components"]["messages"]
    assert {each.key for each in registry.TABLE.values()} < set(messages)
    batches = {"UserEvents", "EventBatch"}
    assert set(document["channels"]["events"]["messages"]) == set(messages) - batches
    assert set(document["channels"]["runEvents"]["messages"]) == {"EventBatch"}
    assert set(document["channels"]["userEvents"]["messages"]) == {"UserEvents"}
    found = list(_references(document))
    assert found
    for each in found:
        place: Any = document
        for step in each.removeprefix("#/").split("/"):
            place = place[step]


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for each in node.values():
            yield from _references(each)
    elif isinstance(node, list):
        for each in node:
            yield from _references(each)
