"""What is generated from the schemas: every property of every kind, good and bad, and walks."""

from pathlib import Path
from random import Random

import pytest

from tests.support.transitions import changes, properties, samples

PAGE = Path(__file__).resolve().parents[3] / "docs" / "faults.md"
kinds = pytest.mark.parametrize("kind", samples.SPECS)


def paths(kind: str) -> set[str]:
    return {each.path for each in properties.of(kind)}


def test_every_kind_has_samples() -> None:
    assert set(properties.schemas()) == set(samples.SPECS)


@kinds
def test_every_sample_is_good(kind: str) -> None:
    assert all(changes.fits(kind, spec) for spec in samples.SPECS[kind])


@kinds
def test_every_property_is_changed_for_good(kind: str) -> None:
    never = set(samples.NEVER) if kind == "Schedule" else set()
    assert paths(kind) - changes.touched(kind, changes.good(kind)) == never


@kinds
def test_every_property_is_changed_for_bad(kind: str) -> None:
    assert paths(kind) - changes.touched(kind, changes.bad(kind)) == set()


def test_the_page_says_how_many_properties_are_touched() -> None:
    every = sum(len(paths(kind)) for kind in samples.SPECS)
    good, bad = (
        sum(len(changes.touched(kind, made(kind))) for kind in samples.SPECS)
        for made in (changes.good, changes.bad)
    )
    said = f"of {every} properties of all specs {good} are put to good values and {bad} to bad ones"
    assert said in PAGE.read_text()


@kinds
def test_a_good_change_says_something_else_and_leaves_its_sample_alone(kind: str) -> None:
    for each in changes.good(kind):
        assert each.before in samples.SPECS[kind]
        assert changes.meaning(kind, each.before) != changes.meaning(kind, each.after)


@kinds
def test_the_models_refuse_every_bad_change(kind: str) -> None:
    assert [str(each) for each in changes.bad(kind) if changes.fits(kind, each.after)] == []


def test_every_bound_of_a_property_is_broken() -> None:
    labels = {each.label for each in changes.bad("Job") if each.of.path == "retry.maxAttempts"}
    assert labels == {"wrong type", "minimum", "maximum"}
    labels = {each.label for each in changes.bad("Job") if each.of.path == "title"}
    assert labels == {"missing", "wrong type", "minLength", "maxLength", "pattern"}


def test_a_place_is_written_as_the_api_server_writes_it() -> None:
    (found,) = [
        each for each in changes.bad("Agent") if str(each) == "Agent.models[].alias missing"
    ]
    assert found.place == "spec.models[0].alias"


def test_what_is_fixed_is_told_from_what_may_change() -> None:
    found = {each.of.path: changes.is_fixed(each) for each in changes.good("Job")}
    assert found["retry.maxAttempts"] == "retry is fixed once the Job is made; make another Job"
    assert found["priority"] == ""
    homes = [each for each in changes.good("Agent") if each.of.path == "workspace.size"]
    assert [bool(changes.is_fixed(each)) for each in homes if each.label == "other"] == [
        False,
        True,
    ]


@kinds
def test_a_walk_is_the_same_each_time_and_changes_only_what_may_change(kind: str) -> None:
    begin = samples.SPECS[kind][0]
    found, again = (
        changes.walk(kind, begin, 6, Random(7))  # noqa: S311 - a walk that can be repeated
        for _ in range(2)
    )
    assert found == again
    assert len(found) == 7
    fixed = properties.fixed(kind)
    for spec in found:
        assert changes.fits(kind, spec)
        assert all(spec.get(name) == begin.get(name) for name in fixed)
