"""What the AsyncAPI document says of events that are appended is what the doors take, and no more."""

from typing import Any

import jsonschema_rs
import pytest
from pydantic import ValidationError

from coxswain.api.event_type import Writer
from coxswain.api.event_types import registry
from coxswain.errors import UserError
from coxswain.sidecar import event_checks
from coxswain.sidecar.wire import TAKEN, EventView
from coxswain.web import asyncapi
from tests.support.golden_events import GOLDEN

ID = "0198f0a0-0000-7000-8000-000000000001"
DOCUMENT = asyncapi.document(EventView, TAKEN)
OF_RUNS = [
    (name, details)
    for (name, version), what in registry.TABLE.items()
    if what.writer is Writer.RUN
    for details in GOLDEN[f"{name}.v{version}"]
]


def said(name: str = "run.answer", **change: Any) -> dict[str, Any]:
    return {"id": ID, "seq": 1, "type": name, "details": {"text": "42"}, **change}


def noted(name: str = "user.note", **change: Any) -> dict[str, Any]:
    return {"id": ID, "type": name, **change}


def is_described(writer: Writer, body: dict[str, Any]) -> bool:
    """Whether a body is one that the document shows for this writer."""
    schema = {
        "$ref": f"#/components/schemas/{TAKEN[writer].__name__}",
        "components": DOCUMENT["components"],
    }
    found: bool = jsonschema_rs.validator_for(schema).is_valid(body)
    return found


def is_taken(writer: Writer, body: dict[str, Any]) -> bool:
    """Whether the door takes it."""
    try:
        batch: Any = TAKEN[writer].model_validate(body)
        for event in batch.events:
            event_checks.check(writer, event.type, event.event_version, event.details, place="")
    except (ValidationError, UserError):
        return False
    return True


@pytest.mark.parametrize(("name", "details"), OF_RUNS)
def test_every_type_of_a_run_is_described_as_it_is_taken(
    name: str, details: dict[str, Any]
) -> None:
    body = {"events": [said(name, details=details)]}
    assert is_described(Writer.RUN, body)
    assert is_taken(Writer.RUN, body)


@pytest.mark.parametrize(
    ("writer", "event", "good"),
    [
        (Writer.RUN, said(eventVersion=1), True),
        (Writer.RUN, said(details={"text": "42", "newer": 1}), True),
        (Writer.RUN, said("run.custom.mood", eventVersion=4, details={"any": [1]}), True),
        (Writer.RUN, said(position=7), False),
        (Writer.RUN, said(actor="agent:team/writer"), False),
        (Writer.RUN, said(recordedAt="2026-11-30T00:00:00Z"), False),
        (Writer.RUN, said(schemaVersion=1), False),
        (Writer.RUN, said(workspace="team"), False),
        (Writer.RUN, said(eventVersion=2), False),
        (Writer.RUN, said(details={}), False),
        (Writer.RUN, said(details={"text": 7}), False),
        (Writer.RUN, said(seq=0), False),
        (Writer.RUN, said("run.result"), False),
        (Writer.RUN, said("job.failed"), False),
        (Writer.RUN, said("user.note"), False),
        (Writer.RUN, said("run.custom."), False),
        (Writer.RUN, {key: said()[key] for key in ("id", "seq", "type")}, False),
        (Writer.USER, noted(), True),
        (Writer.USER, noted("user.a_b.c", workspace="team", eventVersion=9), True),
        (Writer.USER, noted(details={"any": {"thing": True}}, uid=ID, kind="Job"), True),
        (Writer.USER, noted(seq=1), False),
        (Writer.USER, noted(position=7), False),
        (Writer.USER, noted(attempt=1), False),
        (Writer.USER, noted("run.custom.mood"), False),
        (Writer.USER, noted("user"), False),
        (Writer.USER, noted("user."), False),
        (Writer.USER, noted("user.A"), False),
        (Writer.USER, noted("user.a..b"), False),
    ],
)
def test_what_the_document_shows_of_appending_is_what_the_door_takes(
    writer: Writer, event: dict[str, Any], good: bool
) -> None:
    body = {"events": [event]}
    assert (is_described(writer, body), is_taken(writer, body)) == (good, good)


@pytest.mark.parametrize("body", [{"events": []}, {"events": [said()], "more": 1}, {}])
def test_an_event_is_appended_in_a_batch_alone(body: dict[str, Any]) -> None:
    assert (is_described(Writer.RUN, body), is_taken(Writer.RUN, body)) == (False, False)


def test_what_is_read_may_have_fields_that_are_not_named() -> None:
    for name in ("UserEvent", "UserEvents", "RunEvent", "EventBatch"):
        assert DOCUMENT["components"]["schemas"][name]["additionalProperties"] is False
    assert "additionalProperties" not in DOCUMENT["components"]["schemas"]["Event"]
