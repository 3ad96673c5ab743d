"""What the API server refuses, the types refuse too, at the same place and in the same words."""

from typing import Any

import pytest

from coxswain.api import kind
from coxswain.api.kind import Agent, Job, Lease, Schedule
from coxswain.errors import UserError
from tests.support import builders, examples, schedule_refusals
from tests.support.refusals import BY_BOUND, BY_RULE
from tests.support.refused import Refused

KINDS: dict[str, type[Agent | Job | Schedule | Lease]] = {
    "Agent": Agent,
    "Job": Job,
    "Lease": Lease,
    "Schedule": Schedule,
}
RAW = builders.agent().raw
CASES = (*BY_RULE, *BY_BOUND, *schedule_refusals.BY_RULE, *schedule_refusals.BY_BOUND)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case} {case.bad}"[:70])
def test_a_stored_spec_that_does_not_fit_is_refused(case: Refused) -> None:
    with pytest.raises(UserError) as caught:
        KINDS[case.kind].parse({**RAW, "spec": case.spec})
    assert case.words in caught.value.message
    assert str(caught.value.field).startswith("spec")
    assert case.place in str(caught.value.field)


@pytest.mark.parametrize("sample", examples.of_ours(), ids=lambda each: each["metadata"]["name"])
def test_every_sample_is_accepted_and_comes_back_as_it_was(sample: examples.Body) -> None:
    parsed = KINDS[sample["kind"]].parse({**RAW, "spec": sample["spec"]})
    assert type(parsed.spec).model_validate(parsed.spec.to_wire()) == parsed.spec
    assert says(parsed.spec.to_wire(), sample["spec"])


def says(all_of_it: Any, said: Any) -> bool:
    """Whether what was said is still there, beside defaults."""
    if isinstance(said, dict):
        return all(says(all_of_it[name], value) for name, value in said.items())
    if isinstance(said, list):
        return all(says(*pair) for pair in zip(all_of_it, said, strict=True))
    return bool(all_of_it == said or all_of_it == str(said))


def test_the_reference_samples_name_every_field() -> None:
    others = {"command", "steps", "type", "input"}
    others |= {"interval", "at", "onEvent", "webhook", "poll", "heartbeat"}
    for sample in ("agent", "job", "lease", "schedule"):
        (found,) = examples.objects(examples.FOLDER / "reference" / f"{sample}.yaml")
        model = KINDS[found["kind"]].parse({**RAW, "spec": found["spec"]})
        said = set(found["spec"]) | others
        assert {str(field.alias) for field in type(model.spec).model_fields.values()} <= said


def test_a_name_too_long_for_a_label_is_refused() -> None:
    with pytest.raises(UserError, match="at most 63"):
        builders.job("j" * 64).parsed  # noqa: B018 - reading it is the test


def test_a_field_path_reads_as_in_kubectl() -> None:
    assert kind.field_path("spec", ("models", 0, "baseURL")) == "spec.models[0].baseURL"
