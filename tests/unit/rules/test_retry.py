"""Whether and when another attempt follows."""

import pytest

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
        (Ended("Failed", "ImagePull"), 1, 0, True),
    ],
)
def test_an_attempt_is_due_or_not(ended: Ended, used: int, lost: int, due: bool) -> None:
    assert retry.is_due(ended, THREE, used=used, lost=lost) is due


@pytest.mark.parametrize(("used", "seconds"), [(1, 10), (2, 20), (3, 35), (1000, 35)])
def test_the_wait_doubles_up_to_its_bound(used: int, seconds: int) -> None:
    assert retry.delay_seconds(FAILED, THREE, used=used) == seconds


def test_after_a_lost_pod_nobody_waits() -> None:
    assert retry.delay_seconds(LOST, THREE, used=0) == 0
