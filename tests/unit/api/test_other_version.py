"""Processes of two versions read each other's records; what people write stays strict."""

from typing import Any

import pytest
from pydantic import ValidationError

from coxswain.api.contract import RunDocument, RunResult
from coxswain.api.kind import Agent, Job
from coxswain.errors import UserError
from tests.support import builders

NEWER: dict[str, Any] = {"mood": {"of": "the day"}}


def _run() -> dict[str, Any]:
    """A run document that a newer version wrote: unknown fields at every depth."""
    agent, job = builders.agent().with_model().parsed, builders.job().parsed
    document = builders.run_document(agent, job).to_wire()
    model = {"alias": "a", "provider": "demo", "model": "m", **NEWER}
    step = {"name": "a", "command": ["ls"], "dependsOn": [], **NEWER}
    limits = {**document["limits"], **NEWER}
    return {**document, **NEWER, "models": [model], "steps": [step], "limits": limits}


def test_an_older_reader_passes_over_what_a_newer_writer_added() -> None:
    found = RunDocument.of_other_version(_run())
    assert found.steps[0].command == ["ls"]
    assert [each.alias for each in found.models] == ["a"]
    assert RunResult.of_other_version({"status": "failed", **NEWER}).status == "failed"


def test_what_is_known_is_still_checked() -> None:
    with pytest.raises(ValidationError):
        RunDocument.of_other_version({**_run(), "attempt": "the first"})


def test_what_comes_from_outside_stays_strict() -> None:
    with pytest.raises(ValidationError):
        RunResult.model_validate({"status": "failed", **NEWER})
    with pytest.raises(UserError):
        Job.parse(builders.job().with_spec(**NEWER).raw)


def test_a_recorded_object_of_a_newer_version_can_be_shown() -> None:
    job = builders.job().with_spec(**NEWER, retry={"maxAttempts": 3, **NEWER}).raw
    assert Job.recorded(job).spec.retry.max_attempts == 3
    agent = builders.agent().with_model("m", **NEWER).raw
    assert [each.model for each in Agent.recorded(agent).spec.models] == ["m"]
    with pytest.raises(UserError):
        Agent.recorded(builders.agent().with_model("m", "nobody").raw)
