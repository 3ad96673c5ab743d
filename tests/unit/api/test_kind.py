"""Objects as they come from the API server."""

from typing import Any

import pytest

from coxswain.api.job import JobPhase, JobStatus
from coxswain.api.kind import Job, Metadata
from coxswain.errors import UserError
from tests.support import builders

GOOD = {"number": 1, "podName": "p"}


def test_unknown_metadata_is_let_through() -> None:
    raw = builders.agent().with_metadata(managedFields=[{}], selfLink="/x").raw
    assert Metadata.parse(raw).name == "helm"


def test_metadata_and_status_are_read_beside_a_spec_that_does_not_fit() -> None:
    raw = builders.job().running().with_spec(prompt=None, colour="red").raw
    with pytest.raises(UserError):
        Job.parse(raw)
    assert Metadata.parse(raw).name == "read"
    assert Job.status_of(raw).phase is JobPhase.RUNNING


@pytest.mark.parametrize("status", [None, 3, [], "x", {"phase": "Dreaming"}, {"attempts": {}}])
def test_a_status_that_does_not_fit_is_empty(status: Any) -> None:
    assert Job.status_of({"status": status}) == JobStatus()


def test_what_a_newer_version_wrote_costs_only_itself() -> None:
    status = {
        "phase": "Running",
        "mood": "calm",
        "attempts": [{"number": "x"}, {**GOOD, "outcome": "Strange", "extra": 1}, GOOD],
        "result": {"answer": "a", "extra": 1},
    }
    found = Job.status_of({"status": status})
    assert found.phase is JobPhase.RUNNING
    assert [attempt.outcome for attempt in found.attempts] == [None, None]
    assert found.result is not None
    assert found.result.answer == "a"
