"""What `hack/up` tells a person at its end."""

from typing import Any

import pytest

from devtools import example
from devtools.errors import ToolError

Body = dict[str, Any]


def _job(phase: str, **status: Any) -> Body:
    return {
        "metadata": {"creationTimestamp": "2026-11-21T10:00:00Z"},
        "spec": {"prompt": "Who lights the lamp?\n"},
        "status": {"phase": phase, "conditions": [], **status},
    }


DONE = _job(
    "Succeeded",
    result={"answer": "Old Marten does.\nIt says so.\n"},
    transitions=[
        {"phase": "Running", "at": "2026-11-21T10:00:01.250Z", "attempt": 1},
        {"phase": "Succeeded", "at": "2026-11-21T10:00:04Z", "attempt": 1, "reason": "Completed"},
    ],
)


def test_the_answer_stands_below_its_question() -> None:
    lines = example.tell(DONE).splitlines()
    assert "Question  Who lights the lamp?" in lines
    assert lines[lines.index("Answer") + 1 :][:2] == ["  Old Marten does.", "  It says so."]


def test_the_timeline_counts_from_the_creation() -> None:
    text = example.tell(DONE)
    assert "  created      10:00:00" in text
    assert "  Running      10:00:01  +1.2 s  attempt 1" in text
    assert "  Succeeded    10:00:04  +4.0 s  attempt 1  Completed" in text


def test_a_job_that_failed_is_an_error_with_its_reason() -> None:
    failed = {"type": "Failed", "reason": "PROVIDER_AUTH", "message": "the key is refused"}
    with pytest.raises(ToolError, match="Failed: PROVIDER_AUTH: the key is refused"):
        example.tell(_job("Failed", conditions=[failed]))
