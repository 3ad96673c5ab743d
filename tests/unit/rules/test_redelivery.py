"""What becomes of a delivery after a try."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coxswain.api.deliveries import DeliveryState
from coxswain.rules import redelivery
from coxswain.rules.redelivery import Answer, Death, Limits

LIMITS = Limits(tries=12, first_wait_seconds=5, longest_wait_seconds=3600, total_seconds=86400)
NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)


def judged(
    status: int | None, *, tries: int = 1, waited: float = 0, asked: float = 0, chance: float = 0
) -> tuple[DeliveryState, str, float]:
    answer = Answer(status, asked)
    found = redelivery.judge(answer, LIMITS, tries=tries, waited_seconds=waited, chance=chance)
    return found.state, found.reason, found.wait_seconds


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_delivered(status: int) -> None:
    assert judged(status, tries=12) == (DeliveryState.DELIVERED, "", 0)


@pytest.mark.parametrize("status", [None, 100, 301, 302, 307, 400, 401, 404, 429, 500, 503])
def test_all_else_is_tried_again_and_a_redirect_is_no_answer(status: int | None) -> None:
    assert judged(status) == (DeliveryState.PENDING, "", 5)


def test_410_ends_it() -> None:
    assert judged(410)[:2] == (DeliveryState.DEAD, Death.GONE)


def test_tries_and_time_are_bounded() -> None:
    assert judged(500, tries=11)[0] is DeliveryState.PENDING
    assert judged(500, tries=12)[:2] == (DeliveryState.DEAD, Death.ATTEMPTS_EXHAUSTED)
    assert judged(500, tries=11, waited=86400 - 3599)[:2] == (
        DeliveryState.DEAD,
        Death.TIME_EXHAUSTED,
    )


def test_the_receiver_may_ask_for_a_longer_wait_but_not_for_any() -> None:
    assert judged(429, asked=60)[2] == 60
    assert judged(429, asked=1)[2] == 5
    assert judged(503, asked=1e300)[2] == 3600


@given(st.integers(1, 100), st.floats(0, 1, exclude_max=True))
def test_waits_grow_within_bounds_and_are_never_all_the_same(tries: int, chance: float) -> None:
    wait = redelivery.wait_seconds(LIMITS, tries, chance)
    longest = redelivery.wait_seconds(LIMITS, tries, 0)
    assert longest / 2 <= wait <= longest <= 3600
    assert redelivery.wait_seconds(LIMITS, tries + 1, 0) == min(3600, longest * 3)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("soon", 0),
        ("-5", 0),
        ("٣", 0),
        ("120", 120),
        (" 120 ", 120),
        ("Sat, 21 Nov 2026 03:01:00 GMT", 60),
        ("Sat, 21 Nov 2026 02:59:00 GMT", 0),
        ("Sat, 21 Nov 2026 03:01:00", 0),
    ],
)
def test_what_retry_after_asks_for(text: str | None, seconds: float) -> None:
    assert redelivery.retry_after(text, NOW) == seconds
