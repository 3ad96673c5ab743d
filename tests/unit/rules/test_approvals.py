"""Whether enough people agreed: n of m, a denial, the time, and to what."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as given_by
from hypothesis import strategies as st

from coxswain.api.approval import Approval
from coxswain.api.records import Given
from coxswain.rules import approvals
from coxswain.rules.approvals import State

MADE = datetime(2026, 11, 25, 12, tzinfo=UTC)
SPEC = {"title": "t", "command": ["rm"], "agentRef": {"name": "a"}}
SHOWN = approvals.shown_hash(SPEC, "eve")
PEOPLE = ["ada", "bob", "eve"]


def _rule(required: int = 2, **more: Any) -> Approval:
    return Approval(approvers=PEOPLE, required=required, timeout_seconds=60, **more)


def _word(who: str, *, approved: bool = True, second: int = 1, shown: str = SHOWN) -> Given:
    return Given(who, shown, approved, "", MADE + timedelta(seconds=second))


def _state(rule: Approval, *words: Given, second: int = 10, requester: str | None = "eve") -> State:
    return approvals.judge(
        rule,
        requester=requester,
        given=words,
        shown=SHOWN,
        until=approvals.deadline(rule, MADE),
        now=MADE + timedelta(seconds=second),
    ).state


@pytest.mark.parametrize(
    ("words", "second", "state"),
    [
        ([], 10, State.PENDING),
        ([_word("ada")], 10, State.PENDING),
        ([_word("ada"), _word("bob")], 10, State.APPROVED),
        ([_word("ada"), _word("bob")], 999, State.APPROVED),
        ([_word("ada"), _word("mallory")], 10, State.PENDING),
        ([_word("ada"), _word("bob", shown="0" * 64)], 10, State.PENDING),
        ([_word("ada"), _word("bob", approved=False)], 10, State.DENIED),
        ([_word("ada"), _word("bob"), _word("eve", approved=False)], 10, State.DENIED),
        ([_word("mallory", approved=False)], 10, State.PENDING),
        ([_word("ada")], 60, State.TIMED_OUT),
        ([_word("ada"), _word("bob", second=61)], 62, State.TIMED_OUT),
        ([_word("bob", approved=False, second=61)], 62, State.TIMED_OUT),
    ],
)
def test_each_end_is_defined(words: list[Given], second: int, state: State) -> None:
    assert _state(_rule(), *words, second=second) is state


def test_who_asks_may_be_left_out_and_has_to_be_known_then() -> None:
    rule = _rule(exclude_requester=True)
    assert _state(rule, _word("ada"), _word("eve")) is State.PENDING
    assert _state(rule, _word("ada"), _word("bob")) is State.APPROVED
    assert _state(rule, _word("eve", approved=False)) is State.PENDING
    assert _state(_rule(3, exclude_requester=True)) is State.IMPOSSIBLE
    assert _state(rule, _word("ada"), _word("bob"), requester=None) is State.IMPOSSIBLE
    assert _state(_rule(), _word("ada"), _word("bob"), requester=None) is State.APPROVED


@pytest.mark.parametrize(
    ("change", "is_other"),
    [
        ({"command": ["ls"]}, True),
        ({"prompt": "more"}, True),
        ({"agentRef": {"name": "b"}}, True),
        ({"suspend": True}, False),
        ({"cancel": True}, False),
        ({"ttlSecondsAfterFinished": 5}, False),
    ],
)
def test_a_word_belongs_to_what_was_shown(change: dict[str, Any], is_other: bool) -> None:
    assert (approvals.shown_hash({**SPEC, **change}, "eve") != SHOWN) is is_other
    assert approvals.shown_hash(SPEC, "bob") != SHOWN
    assert approvals.shown_hash(dict(reversed(SPEC.items())), "eve") == SHOWN


@given_by(
    st.integers(1, 3),
    st.lists(st.tuples(st.sampled_from([*PEOPLE, "mallory"]), st.integers(0, 90)), max_size=6),
    st.booleans(),
)
def test_it_is_approved_only_by_enough_people_with_a_say_in_time(
    required: int, words: list[tuple[str, int]], excludes: bool
) -> None:
    first = dict(reversed(words))
    given = [_word(who, second=second) for who, second in first.items()]
    state = _state(_rule(required, exclude_requester=excludes), *given, second=100)
    people = set(PEOPLE) - ({"eve"} if excludes else set())
    count = sum(1 for who, second in first.items() if who in people and second <= 60)
    assert (state is State.APPROVED) == (count >= required)
