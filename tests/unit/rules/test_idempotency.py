"""What makes two requests for an object the same, and what is said when they are not."""

import warnings

import pytest

from coxswain.api.job import JobSpec
from coxswain.api.records import KeyHolder
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


@pytest.mark.parametrize(
    ("kept", "said", "field"),
    [
        ("k", "'k' stands for Job 'mine' in workspace 'team'", "spec.idempotencyKey"),
        ("Lease k", "'k' stands for Lease 'mine' in workspace 'team'", "header.Idempotency-Key"),
    ],
)
def test_a_refusal_names_the_key_as_it_was_given_and_what_it_stands_for(
    kept: str, said: str, field: str
) -> None:
    holder = KeyHolder("team", kept, "hash", "mine")
    for error in (idempotency.reused(holder), idempotency.gone(holder)):
        assert said in error.message
        assert error.field == field


def test_each_kind_keeps_its_keys_apart() -> None:
    assert idempotency.kept_key("Job", "k") == "k"
    assert idempotency.kept_key("Schedule", "k") != idempotency.kept_key("Lease", "k")
