"""The merge patch of a status: only what changed, and null for what went."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coxswain.reconcile.loop import difference

Body = dict[str, Any]

# Two levels of objects, as a status has them; in a merge patch null is no value.
VALUES = st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=2)
KEYS = st.sampled_from("abc")
STATUSES = st.dictionaries(KEYS, VALUES | st.dictionaries(KEYS, VALUES, max_size=3), max_size=3)


def merged(old: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    made = dict(old) if isinstance(old, dict) else {}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = merged(made.get(name), value)
    return made


@pytest.mark.parametrize(
    ("old", "new", "patch"),
    [
        ({"phase": "Queued"}, {"phase": "Queued"}, {}),
        ({"phase": "Queued"}, {"phase": "Running"}, {"phase": "Running"}),
        ({"phase": "Queued", "line": 3}, {"phase": "Queued"}, {"line": None}),
        ({}, {"attempt": 1}, {"attempt": 1}),
        ({"usage": {"in": 1, "out": 2}}, {"usage": {"in": 5}}, {"usage": {"out": None, "in": 5}}),
        ({"usage": {"in": 1}}, {"usage": {"in": 1}}, {}),
        ({"attempts": [1, 2]}, {"attempts": [2]}, {"attempts": [2]}),
    ],
)
def test_only_what_changed_is_written(old: Body, new: Body, patch: Body) -> None:
    assert difference(old, new) == patch


@given(STATUSES, STATUSES)
def test_the_patch_turns_the_old_status_into_the_new_one(old: Body, new: Body) -> None:
    assert merged(old, difference(old, new)) == new
