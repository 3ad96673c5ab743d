"""When records alone say that there is an alert."""

import pytest

from coxswain.rules import alerting
from coxswain.rules.alerting import Thresholds

GIVEN = Thresholds(
    queue_stalled_seconds=600,
    failure_rate_percent=50,
    failure_rate_minimum=10,
    window_seconds=900,
)


@pytest.mark.parametrize(
    ("condition", "seconds", "is_active"),
    [
        ("QuotaReserved", 600, False),
        ("QuotaReserved", 600.1, True),
        ("PodStarted", 601, True),
        ("RecordsAvailable", 601, True),
        ("Approved", 86_400, False),
        ("Suspended", 86_400, False),
        ("AgentReady", 86_400, False),
    ],
)
def test_a_queue_is_stalled_where_a_job_waits_too_long_for_its_turn_and_for_nothing_else(
    condition: str, seconds: float, is_active: bool
) -> None:
    found = alerting.active({condition: seconds}, 0, 0, GIVEN)
    assert [(each.name, each.condition) for each in found] == (
        [("QUEUE_STALLED", condition)] if is_active else []
    )


def test_each_condition_that_stalls_is_told_for_itself() -> None:
    found = alerting.active({"PodStarted": 700, "QuotaReserved": 800}, 0, 0, GIVEN)
    assert {each.condition: each.value for each in found} == {
        "PodStarted": 700,
        "QuotaReserved": 800,
    }


@pytest.mark.parametrize(
    ("succeeded", "failed", "is_active"),
    [
        (0, 0, False),
        (0, 9, False),
        (0, 10, True),
        (5, 5, False),
        (4, 6, True),
        (100, 100, False),
        (99, 101, True),
    ],
)
def test_many_jobs_fail_where_more_than_the_share_of_enough_of_them_did(
    succeeded: int, failed: int, is_active: bool
) -> None:
    found = alerting.active({}, succeeded, failed, GIVEN)
    assert [each.name for each in found] == (["HIGH_FAILURE_RATE"] if is_active else [])


def test_an_alert_says_what_was_found_and_where_its_bound_is() -> None:
    (found,) = alerting.active({}, 4, 12, GIVEN)
    assert (found.value, found.threshold) == (75, 50)
    assert found.message == "12 of the 16 Jobs that ended within 900 s failed"
