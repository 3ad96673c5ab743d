"""The types of events: each is published, and what was told once can be read for ever."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from pydantic import ValidationError

from coxswain.api.event_type import EventType, Writer
from coxswain.api.event_types import registry
from tests.support.golden_events import GOLDEN

SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "events.schema.json"
NEWER: dict[str, Any] = {"mood": {"of": "the day"}}
TYPES = list(registry.TABLE.values())
PAYLOADS = [(key, payload) for key, both in GOLDEN.items() for payload in both]


def _of(key: str) -> EventType[Any]:
    name, _, version = key.rpartition(".v")
    return registry.TABLE[name, int(version)]


def _event(key: str, details: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "schemaVersion": 1,
        "position": 1,
        "id": "0198f0a0-0000-7000-8000-000000000001",
        "at": "2026-11-21T03:00:00Z",
        "recordedAt": "2026-11-21T03:00:00Z",
        "type": _of(key).name,
        "eventVersion": _of(key).version,
        "actor": "operator",
        "details": details,
        **more,
    }


@pytest.fixture(scope="module")
def published() -> Any:
    """Who knows only the published schema."""
    return jsonschema_rs.validator_for(json.loads(SCHEMA.read_text()))


def test_of_every_type_and_version_an_example_is_kept() -> None:
    assert set(GOLDEN) == {each.key for each in TYPES}


@pytest.mark.parametrize(("key", "payload"), PAYLOADS)
def test_what_was_told_once_is_read_whole(key: str, payload: dict[str, Any]) -> None:
    read = _of(key).data.model_validate(payload)
    assert payload.items() <= read.to_wire().items()


@pytest.mark.parametrize(("key", "payload"), PAYLOADS)
def test_an_event_fits_the_published_schema(
    published: Any, key: str, payload: dict[str, Any]
) -> None:
    assert published.is_valid(_event(key, payload))


@pytest.mark.parametrize(("key", "payload"), PAYLOADS)
def test_an_older_reader_passes_over_what_a_newer_writer_added(
    published: Any, key: str, payload: dict[str, Any]
) -> None:
    newer = {**payload, **NEWER}
    assert published.is_valid(_event(key, newer, **NEWER))
    assert _of(key).data.of_other_version(newer) == _of(key).data.of_other_version(payload)


@pytest.mark.parametrize("what", TYPES, ids=lambda each: each.key)
def test_a_type_does_not_lose_what_it_always_has(published: Any, what: EventType[Any]) -> None:
    least = GOLDEN[what.key][1]
    needed = [name for name, each in what.data.model_fields.items() if each.is_required()]
    for name in needed:
        alias = what.data.model_fields[name].alias or name
        cut = {key: value for key, value in least.items() if key != alias}
        assert not published.is_valid(_event(what.key, cut)), alias
        with pytest.raises(ValidationError):
            what.data.of_other_version(cut)


def test_a_wrong_sort_of_value_does_not_fit(published: Any) -> None:
    assert not published.is_valid(_event("attempt.started.v1", {"pod": 7}))
    assert not published.is_valid(_event("run.output.v1", {"stream": "stdin", "text": ""}))


def test_who_may_tell_what_is_said_by_the_type() -> None:
    of_runs = registry.written_by(Writer.RUN)
    assert {"run.output", "run.tool_call", "run.step.failed"} <= set(of_runs)
    assert not [each for each in of_runs if not each.startswith("run.")]
    assert registry.is_free("run.custom.mood", Writer.RUN)
    assert not registry.is_free("run.custom.mood", Writer.USER)
    assert not registry.is_free("user.note", Writer.RUN)
    assert not [name for name in registry.VERSIONS if registry.is_free(name, Writer.RUN)]


def test_refusals_agreement_and_what_was_taken_away_matter_to_security() -> None:
    assert set(registry.SECURITY) == {
        *("approval.given", "approval.denied", "run.approval.asked", "run.approval.ended"),
        *("run.egress.refused", "callback.skipped", "lease.reclaimed", "lease.quarantined"),
    }
