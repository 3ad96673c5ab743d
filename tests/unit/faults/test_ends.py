"""How a workload has to end, and what is said where it has not."""

import pytest

from tests.faults.ends import Ends, ended
from tests.faults.history import History
from tests.support.histories import effect, gone, gone_through, history, pod

SUCCEEDED = gone_through("Queued", "Running", "Succeeded")
FAILED = {"number": 1, "podName": "j-1", "outcome": "Failed", "reason": "ExitCode"}


def _said(ends: Ends, found: History) -> list[str]:
    return [each.what for each in ends.breaches(found)]


@pytest.mark.parametrize(
    ("ends", "found"),
    [
        (Ends(jobs={"j": ended("Succeeded")}), history(SUCCEEDED)),
        (Ends(jobs={"j*": ended("Succeeded")}), history(SUCCEEDED)),
        (
            Ends(jobs={"j": ended("Succeeded", is_gone=True)}),
            history(SUCCEEDED, gone(SUCCEEDED)),
        ),
        (
            Ends(jobs={"j": ended("Failed", "Failed/ExitCode")}),
            history(gone_through("Queued", "Running", "Failed", attempts=[FAILED])),
        ),
        (Ends(pods=1, effects=1), history(pod(1), effects=(effect(1),))),
        (Ends(), history(pod(1), effects=(effect(1),))),
    ],
)
def test_an_end_that_is_as_it_was_said_breaks_nothing(ends: Ends, found: History) -> None:
    assert _said(ends, found) == []


@pytest.mark.parametrize(
    ("ends", "found", "said"),
    [
        (
            Ends(jobs={"j": ended("Failed")}),
            history(SUCCEEDED),
            "j ended as Succeeded (), not as Failed ()",
        ),
        (
            Ends(jobs={"j": ended("Succeeded")}),
            history(SUCCEEDED, gone(SUCCEEDED)),
            "j ended as Succeeded () and gone, not as Succeeded ()",
        ),
        (
            Ends(jobs={"j": ended("Succeeded")}),
            history(),
            "j ended as nothing, not as Succeeded ()",
        ),
        (Ends(), history(SUCCEEDED), "j ended as Succeeded (), not as nothing"),
        (
            Ends(pods=1),
            history(pod(1), gone(pod(1)), pod(1, name="again")),
            "2 pods were made, not 1",
        ),
        (Ends(effects=1), history(), "0 attempts began, not 1"),
    ],
)
def test_an_end_that_is_another_one_is_told(ends: Ends, found: History, said: str) -> None:
    assert _said(ends, found) == [said]
