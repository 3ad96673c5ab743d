"""Who holds a lease, in the very moment in which its time ends, and under whose name."""

from dataclasses import replace
from datetime import timedelta

import pytest

from coxswain.api.records import Lease, LeaseHolder, RunKey
from coxswain.rules import leasing
from tests.support import builders
from tests.unit.controllers.test_lease_decide import ANN, NOW, held

RUN = LeaseHolder.of_run(RunKey(builders.uid_of("Job", "read"), 1), "read")
BOB = LeaseHolder.of_user("bob", None)


def ending(seconds: float, holder: LeaseHolder = ANN) -> Lease:
    return held(holder=holder, expires_at=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(("seconds", "is_own"), [(0.001, True), (0.0, False), (-0.001, False)])
def test_its_time_is_over_in_the_moment_in_which_it_ends(seconds: float, is_own: bool) -> None:
    lease = ending(seconds)
    assert lease.is_over is not is_own
    assert leasing.is_own(lease, ANN) is is_own
    assert (leasing.refusal(lease, BOB, name="deploy") is None) is not is_own


def test_a_run_whose_time_is_over_has_it_until_it_is_known_to_be_gone() -> None:
    lease = ending(-1, RUN)
    assert leasing.is_busy(lease)
    assert not leasing.is_own(lease, RUN)
    assert leasing.refusal(lease, BOB, name="deploy") is not None


def test_a_job_made_anew_under_its_name_is_another_holder() -> None:
    again = replace(RUN, job_uid=builders.uid_of("Job", "another"))
    assert again.text == RUN.text
    assert leasing.is_own(ending(1, RUN), RUN)
    assert not leasing.is_own(ending(1, RUN), again)


@pytest.mark.parametrize(
    ("token", "code"), [(2, leasing.LOST), (3, None), (4, leasing.TOKEN_UNKNOWN)]
)
def test_only_the_latest_token_is_good(token: int, code: str | None) -> None:
    wrong = leasing.wrong_token(ending(1), token)
    assert (None if wrong is None else wrong.code) == code
