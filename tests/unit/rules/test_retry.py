"""Whether and when another attempt follows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coxswain.api.job import Retry
from coxswain.rules import retry
from coxswain.rules.outcome import Ended

LOST = Ended("Lost", "PodLost")
FAILED = Ended("Failed", "ExitCode")
THREE = Retry(max_attempts=3, backoff_seconds=10, max_backoff_seconds=35)


@pytest.mark.parametrize(
    ("ended", "used", "lost", "due"),
    [
        (FAILED, 1, 0, True),
        (FAILED, 2, 0, True),
        (FAILED, 3, 0, False),
        (LOST, 0, 1, True),
        (LOST, 3, 1, True),
        (LOST, 0, retry.LOST_LIMIT - 1, True),
        (LOST, 0, retry.LOST_LIMIT, False),
        (Ended("Succeeded", "Completed"), 1, 0, False),
        (Ended("Cancelled", "Cancelled"), 1, 0, False),
        (Ended("Failed", "OutcomeUnknown"), 1, 0, False),
        (Ended("Failed", "PROVIDER_AUTHENTICATION"), 1, 0, False),
        (Ended("Failed", "PROVIDER_RATE_LIMITED"), 1, 0, True),
        (Ended("Failed", "StepLimit", is_final=True), 1, 0, False),
        (Ended("Failed", "Timeout"), 1, 0, True),
        (Ended("Failed", "MaxSteps"), 1, 0, False),
        (Ended("Failed", "AWordOfItsOwn"), 1, 0, True),
        (Ended("Failed", "AWordOfItsOwn", is_final=True), 1, 0, False),
        (Ended("Failed", "ImagePull"), 1, 0, True),
    ],
)
def test_an_attempt_is_due_or_not(ended: Ended, used: int, lost: int, due: bool) -> None:
    assert retry.is_due(ended, THREE, used=used, lost=lost) is due


@pytest.mark.parametrize(("used", "seconds"), [(1, 10), (2, 20), (3, 35), (1000, 35)])
def test_the_longest_wait_doubles_up_to_its_bound(used: int, seconds: int) -> None:
    assert retry.longest_seconds(THREE, used=used) == seconds


@given(st.text(), st.integers(1, 30), st.integers(0, 3600), st.integers(0, 86400))
def test_the_wait_is_within_its_bound_and_the_same_for_the_same_attempt(
    seed: str, used: int, first: int, most: int
) -> None:
    policy = Retry(max_attempts=20, backoff_seconds=first, max_backoff_seconds=most)
    found = retry.delay_seconds(FAILED, policy, used=used, seed=seed)
    assert 0 <= found <= retry.longest_seconds(policy, used=used) <= most
    assert found == retry.delay_seconds(FAILED, policy, used=used, seed=seed)


def test_the_waits_of_many_jobs_are_spread_over_the_whole_time() -> None:
    waits = [
        retry.delay_seconds(FAILED, THREE, used=1, seed=f"{number}/1") for number in range(1000)
    ]
    tenths = [sum(1 for each in waits if low <= each < low + 1) for low in range(10)]
    assert all(70 < count < 130 for count in tenths), tenths


def test_after_a_lost_pod_nobody_waits() -> None:
    assert retry.delay_seconds(LOST, THREE, used=0, seed="any") == 0
