"""What clients were answered once they can go on reading, and today's read what a newer platform adds."""

from typing import Any

import pytest

from coxswain.api.meta import Model
from tests.support import golden_answers
from tests.support.golden_answers import Payload, answers, golden

PAYLOADS = [
    pytest.param(name, payload, id=f"{name}-{which}")
    for name, payloads in golden().items()
    for which, payload in payloads.items()
]


class Then(Model):
    """An answer as it was."""

    name: str
    at: str
    parts: list[str] | None = None


class NowWithMore(Then):
    """With a field more."""

    more: int = 1


class NowGone(Model):
    """Without one."""

    name: str
    at: str


class NowAnother(Then):
    """With one of another form."""

    at: int  # type: ignore[assignment]  # what must not be done


class NowMissing(Then):
    """With one that may be missing."""

    at: str | None = None  # type: ignore[assignment]  # what must not be done


def test_every_answer_has_its_payloads() -> None:
    """Else: python -m tests.support.golden_answers."""
    assert set(golden()) == set(answers())


@pytest.mark.parametrize("name", golden())
def test_no_answer_breaks_those_who_read_it_before(name: str) -> None:
    assert list(golden_answers.breaks(answers()[name], golden()[name])) == []


@pytest.mark.parametrize(("name", "payload"), PAYLOADS)
def test_what_was_answered_once_is_read_whole(name: str, payload: Payload) -> None:
    assert _read(name, payload) == payload


@pytest.mark.parametrize(("name", "payload"), PAYLOADS)
def test_what_a_newer_platform_adds_is_passed_over(name: str, payload: Payload) -> None:
    newer = golden_answers.with_more(answers()[name], payload)
    assert newer != payload
    assert _read(name, newer) == payload


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (Then, []),
        (NowWithMore, []),
        (NowGone, ["parts is gone"]),
        (NowAnother, ["at has another form"]),
        (NowMissing, ["at may be missing"]),
    ],
)
def test_what_would_break_a_reader_is_found(now: type[Model], said: list[str]) -> None:
    payloads = {
        "all": golden_answers.filled(Then, least=False),
        "least": golden_answers.filled(Then, least=True),
    }
    assert list(golden_answers.breaks(now, payloads)) == said


def _read(name: str, payload: Payload) -> Any:
    found = answers()[name].of_other_version(payload)
    return found.model_dump(mode="json", by_alias=True, exclude_unset=True)
