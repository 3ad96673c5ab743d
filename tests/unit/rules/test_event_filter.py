"""Which events a Schedule takes."""

from typing import Any
from uuid import uuid4

import pytest

from coxswain.api.records import Event
from coxswain.api.schedule import OnEvent
from coxswain.rules import event_filter

EVENT = Event(
    id=uuid4(),
    type="job.failed",
    actor="operator",
    kind="Job",
    name="read",
    attempt=2,
    details={"reason": "Timeout", "inner": {"is": True, "many": 3}},
)


@pytest.mark.parametrize(
    ("type_", "fields", "matches"),
    [
        ("job.failed", {}, True),
        ("job.", {}, True),
        ("job.fail", {}, False),
        ("job", {}, False),
        ("job.", {"details.reason": "Timeout", "name": "read"}, True),
        ("job.", {"details.reason": "Timeout", "name": "write"}, False),
        ("job.", {"details.inner.is": "true", "details.inner.many": "3", "attempt": "2"}, True),
        ("job.", {"details.inner": "3"}, False),
        ("job.", {"details.reason.more": "Timeout"}, False),
        ("job.", {"details.nothing": "None"}, False),
    ],
)
def test_type_and_every_field_have_to_fit(
    type_: str, fields: dict[str, str], matches: bool
) -> None:
    named: list[dict[str, Any]] = [{"path": k, "equals": v} for k, v in fields.items()]
    wanted = OnEvent.model_validate({"type": type_, "fields": named})
    assert event_filter.matches(wanted, EVENT) is matches
