"""No property of a spec is for show: put to another value, something comes of it.

What comes of it is seen in the product's own pure functions: the decision about the object, the pod
and the run document of an attempt, the ticks, who is told, the row of ``kubectl get``. The run document
is what the pod and the gateways go by; that they read each part of it is held by
``tests/architecture/test_fields.py``, by name.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.transitions import changes, effects, properties, samples
from tests.support.transitions.changes import Change

REPOSITORY = Path(__file__).parents[3]
ELSEWHERE = {
    "Job.idempotencyKey": "tests/apiserver/test_idempotency.py"
    "::test_of_two_with_one_key_and_spec_one_runs_and_the_other_names_it",
    "Schedule.webhook.secretRef": "tests/store/gateway/test_webhooks.py"
    "::test_both_live_keys_are_good",
    "Schedule.webhook.secretRef.name": "tests/store/gateway/test_webhooks.py"
    "::test_both_live_keys_are_good",
    "Schedule.webhook.bodySchema": "tests/store/gateway/test_webhooks.py"
    "::test_a_body_that_does_not_fit_is_refused_with_its_place_and_may_come_again_mended",
}
"""What only I/O reads, and the test that sees what comes of it."""

kinds = pytest.mark.parametrize("kind", samples.SPECS)


def for_show(kind: str, of: Callable[[dict[str, Any]], Iterator[tuple[str, str]]]) -> list[str]:
    """The properties of which no good change is seen in any view."""
    specs = samples.SPECS[kind]
    standing = [dict(of(spec)) for spec in specs]
    shown: dict[str, Change] = {}
    for change in changes.good(kind):
        before = standing[specs.index(change.before)]
        is_new = change.of.path not in shown
        if is_new and effects.first_difference(before, of(change.after)):
            shown[change.of.path] = change
    seen = changes.touched(kind, shown.values()) | set(samples.NEVER)
    paths = [each.path for each in properties.of(kind)]
    return [f"{kind}.{path}" for path in paths if path not in seen]


@kinds
def test_every_property_has_an_effect(kind: str) -> None:
    found = for_show(kind, partial(effects.of, kind))
    assert [each for each in found if each not in ELSEWHERE] == []


def test_a_property_that_is_for_show_is_found() -> None:
    def blind(spec: dict[str, Any]) -> Iterator[tuple[str, str]]:
        limits = {**spec.get("limits", {}), "maxSteps": 20}
        return effects.of("Agent", {**spec, "limits": limits, "description": "any"})

    assert for_show("Agent", blind) == ["Agent.description", "Agent.limits.maxSteps"]


def test_what_is_seen_elsewhere_is_seen_by_a_test_that_is_there() -> None:
    for node in ELSEWHERE.values():
        file, _, name = node.partition("::")
        assert f"def {name}(" in (REPOSITORY / file).read_text()
