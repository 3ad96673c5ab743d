"""What a Job does about its idempotency key before anything of it runs."""

from dataclasses import replace

import pytest

from coxswain.api.records import KeyHolder
from coxswain.reconcile import actions
from coxswain_controllers.job.decide import decide
from coxswain_controllers.job.snapshot import JobSnapshot, KeyClaim
from tests.support import snapshots
from tests.support.snapshots import NOW, PLATFORM

UID = "5d0c2a37-1111-4222-8333-444455556666"


def keyed(standing: KeyHolder | None) -> JobSnapshot:
    known = snapshots.waiting()
    wanted = KeyHolder("team", "k", "hash", known.key.name, known.key.uid)
    return replace(known, key_claim=KeyClaim(wanted, standing))


def holder(**fields: str | None) -> KeyHolder:
    known = {"workspace": "team", "key": "k", "payload_hash": "hash", "job_name": "read"}
    return KeyHolder(**{**known, **fields})  # type: ignore[arg-type]  # a test's table


@pytest.mark.parametrize("standing", [None, holder(payload_hash="of-the-request")])
def test_a_free_key_is_taken_before_anything_else(standing: KeyHolder | None) -> None:
    known = keyed(standing)
    decided = decide(known, PLATFORM, NOW)
    assert known.key_claim is not None
    assert decided.actions == (actions.RegisterKey(known.key_claim.wanted),)
    assert decided.wake_at == NOW


def test_with_its_key_a_job_starts() -> None:
    known = keyed(None)
    own = holder(job_uid=known.key.uid)
    decided = decide(keyed(own), PLATFORM, NOW)
    assert [type(each) for each in decided.actions] == [actions.OpenRun, actions.CreatePod]


@pytest.mark.parametrize(
    ("standing", "phase", "reason"),
    [
        (holder(job_name="first", job_uid=UID), "Cancelled", "Duplicate"),
        (holder(job_name="first"), "Cancelled", "Duplicate"),
        (holder(job_name="read", job_uid=UID), "Cancelled", "Duplicate"),
        (
            holder(job_name="first", payload_hash="other", job_uid=UID),
            "Failed",
            "IdempotencyKeyReused",
        ),
    ],
)
def test_a_key_of_another_job_ends_this_one(standing: KeyHolder, phase: str, reason: str) -> None:
    decided = decide(keyed(standing), PLATFORM, NOW)
    assert decided.actions == ()
    assert decided.status is not None
    assert decided.status["phase"] == phase
    accepted = decided.status["conditions"][0]
    assert (accepted["type"], accepted["status"], accepted["reason"]) == (
        "Accepted",
        "False",
        reason,
    )
    assert standing.job_name in accepted["message"]


def test_without_records_nothing_is_decided_about_a_key() -> None:
    known = replace(keyed(None), records=snapshots.NO_RECORDS)
    decided = decide(known, PLATFORM, NOW)
    assert decided.actions == ()
    assert decided.status is not None
    assert decided.status["phase"] == "Queued"
