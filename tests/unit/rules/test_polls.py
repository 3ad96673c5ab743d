"""What a look at a page comes to."""

import pytest

from coxswain.api.triggers import Poll, PollState
from coxswain.rules import polls
from coxswain.rules.polls import Failure

PAGE = Poll(url="https://status.example/", interval_seconds=60)
SEEN = PollState(PAGE.url, "sha256:a")


def test_the_first_look_learns_the_content_and_fires_nothing() -> None:
    looked = polls.judge(PAGE, PollState(), "sha256:a", 0.5)
    assert (looked.state, looked.fires, looked.wait_seconds) == (SEEN, False, 60.0)


@pytest.mark.parametrize(("digest", "fires"), [("sha256:a", False), ("sha256:b", True)])
def test_only_other_content_fires(digest: str, fires: bool) -> None:
    assert polls.judge(PAGE, SEEN, digest, 0.5).fires is fires


def test_another_url_is_another_page() -> None:
    moved = Poll(url="https://status.example/new", interval_seconds=60)
    looked = polls.judge(moved, SEEN, "sha256:b", 0.5)
    assert not looked.fires
    assert looked.state == PollState(moved.url, "sha256:b")


def test_a_failed_look_forgets_nothing_so_that_a_change_behind_it_fires() -> None:
    failed = polls.judge(PAGE, SEEN, Failure.TIMEOUT, 0.0)
    assert not failed.fires
    assert (failed.state.digest, failed.state.error, failed.state.failures) == (
        "sha256:a",
        "Timeout",
        1,
    )
    assert polls.judge(PAGE, failed.state, "sha256:b", 0.0).fires
    assert polls.judge(PAGE, failed.state, "sha256:b", 0.0).state == PollState(PAGE.url, "sha256:b")


def test_what_a_suspended_schedule_missed_fires_nothing_afterwards() -> None:
    rested = polls.at_rest(PAGE)
    assert rested.state == PollState()
    assert not polls.judge(PAGE, rested.state, "sha256:b", 0.0).fires


@pytest.mark.parametrize(
    ("failures", "chance", "seconds"),
    [(0, 0.9, 60), (1, 0.0, 60), (2, 0.0, 120), (4, 0.0, 480), (7, 0.0, 3600), (99, 0.0, 3600)],
)
def test_the_wait_grows_with_failures_to_an_hour(
    failures: int, chance: float, seconds: float
) -> None:
    assert polls.wait_seconds(60, failures, chance) == seconds


@pytest.mark.parametrize("failures", range(12))
def test_a_wait_is_never_shorter_than_the_interval(failures: int) -> None:
    for interval in (10, 60, 86_400):
        assert polls.wait_seconds(interval, failures, 0.999) >= interval
