"""Which leases a run has lost, and which are only in doubt."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from coxswain.api.records import Lease, LeaseHolder, Run, RunKey, WantedLease
from coxswain_controllers.job import leased
from tests.support import builders
from tests.support.rows import document
from tests.unit.controllers.test_lease_decide import held, quarantined, row

UID = builders.uid_of("Job", "read")
SELF = LeaseHolder.of_run(RunKey(UID, 1), "read")
RUN = Run(
    key=RunKey(UID, 1),
    workspace="team",
    job_name="read",
    agent_name="helm",
    pod_name="p",
    service_account="coxswain-agent",
    token=1,
    document=document(UID),
    pod_uid="u",
    claimed_at=None,
    heartbeat_at=None,
    last_seq=0,
    acts_open={},
    result=None,
    result_at=None,
    cancel_requested=False,
    closed_at=None,
    closed_reason=None,
    leases={"deploy": 3},
)
MINE = held(holder=SELF, with_run=True)


def silent(seconds: float, **changed: Any) -> Lease:
    """Quarantined for so long, since nothing was heard of the run."""
    lease = quarantined(holder=SELF, with_run=True, **changed)
    return replace(lease, read_at=lease.changed_at + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("lease", "is_lost", "is_in_doubt"),
    [
        (MINE, False, False),
        (held(), True, False),
        (replace(MINE, token=4), True, False),
        (row(token=3), True, False),
        (None, True, False),
        (replace(MINE, is_removed=True), True, False),
        (silent(14), False, True),
        (silent(15), True, True),
        (silent(1, token=4), True, False),
        (silent(1, reason="HolderEnding"), True, False),
    ],
    ids=[
        *("held", "of another", "another token", "free", "gone", "removed"),
        *("silent", "silent for long", "silent under another token", "ending"),
    ],
)
def test_a_lease_is_lost_unless_it_is_held_or_was_silent_just_now(
    lease: Lease | None, is_lost: bool, is_in_doubt: bool
) -> None:
    found = (WantedLease("deploy", lease),)
    assert [each.name for each in leased.lost(RUN, found)] == ["deploy"] * is_lost
    assert leased.silent(RUN, found) == is_in_doubt


def test_what_the_row_of_a_run_does_not_know_of_is_lost() -> None:
    found = (WantedLease("deploy", MINE), WantedLease("stage", held(holder=SELF, with_run=True)))
    assert [each.name for each in leased.lost(RUN, found)] == ["stage"]


def test_without_a_run_nothing_is_lost() -> None:
    assert leased.lost(None, (WantedLease("deploy", None),)) == ()
    assert not leased.silent(None, (WantedLease("deploy", silent(1)),))
