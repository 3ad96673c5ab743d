"""What makes two requests for a Job the same."""

import warnings

import pytest

from coxswain.api.job import JobSpec
from coxswain.rules import idempotency

BASE = JobSpec.model_validate({"agentRef": {"name": "a"}, "title": "t", "prompt": "p"})


@pytest.mark.parametrize("field", sorted(set(JobSpec.model_fields) - {"cancel"}))
def test_every_field_of_the_spec_is_payload(field: str) -> None:
    changed = BASE.model_copy(update={field: "another"})
    with warnings.catch_warnings():
        # The value need not fit its field to be another one.
        warnings.simplefilter("ignore")
        other = idempotency.payload_hash("team", changed)
    assert other != idempotency.payload_hash("team", BASE)


def test_the_workspace_is_payload_and_a_wish_to_cancel_is_none() -> None:
    here = idempotency.payload_hash("team", BASE)
    assert idempotency.payload_hash("other", BASE) != here
    assert idempotency.payload_hash("team", BASE.model_copy(update={"cancel": True})) == here


def test_what_is_said_by_default_is_the_same_payload() -> None:
    spelled = {"agentRef": {"name": "a"}, "title": "t", "prompt": "p", "files": [], "retry": {}}
    said = JobSpec.model_validate(spelled)
    assert idempotency.payload_hash("team", said) == idempotency.payload_hash("team", BASE)


def test_a_field_that_comes_later_changes_no_hash_of_before() -> None:
    class Later(JobSpec):
        mood: str = "calm"
        """A field of a later version."""

    later = Later.model_validate(BASE.to_wire())
    assert idempotency.payload_hash("team", later) == idempotency.payload_hash("team", BASE)
    other = later.model_copy(update={"mood": "wild"})
    assert idempotency.payload_hash("team", other) != idempotency.payload_hash("team", BASE)
