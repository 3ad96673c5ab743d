"""How long nobody leads: from the end of a leader until the next one leads and acts."""

import pytest

from tests.faults import hand_overs
from tests.faults.director import Fired
from tests.faults.hand_overs import HandOver
from tests.faults.plan import Deed, Fault, Request
from tests.faults.proxy.seen import Committed, Exchange, Trace
from tests.faults.proxy.targets import Target

RENEWAL = Target("update", "leases.coordination.k8s.io", "home", "coxswain")
STATUS = Target("patch", "jobs/status", "team", "j")


def _leads(at: float, holder: str, status: int = 200) -> Exchange:
    """A renewal by ``replica_instance``."""
    sent = {"spec": {"holderIdentity": holder}}
    return Exchange(at, holder.partition("_")[0], RENEWAL, sent, status)


def _writes(at: float, replica: str, status: int = 200) -> Exchange:
    return Exchange(at, replica, STATUS, {}, status)


def _ends(at: float, replica: str, do: Deed = Deed.KILL) -> Fired:
    seconds = 6 if do is Deed.FREEZE else None
    return Fired(at, replica, Fault(request=Request(), do=do, seconds=seconds), "a write")


def test_it_lasts_until_another_has_the_lease_and_then_until_that_one_writes() -> None:
    seen = [_leads(0, "one_a"), _writes(1, "one"), _leads(5, "two_b"), _writes(5.5, "two")]
    found = hand_overs.seen(Trace(exchanges=seen), [_ends(2, "one")])
    assert found == (HandOver("kill", 3, 3.5),)


def test_a_commit_is_a_first_act_too() -> None:
    trace = Trace(exchanges=[_leads(0, "one_a"), _leads(5, "two_b"), _writes(9, "two")])
    trace.commits.append(Committed(6, "two", "UPDATE epoch"))
    assert hand_overs.seen(trace, [_ends(2, "one")]) == (HandOver("kill", 3, 4),)


def test_the_same_replica_is_the_next_one_once_it_has_started_again() -> None:
    seen = [_leads(0, "one_a"), _leads(4, "one_b"), _writes(4.5, "one")]
    found = hand_overs.seen(Trace(exchanges=seen), [_ends(1, "one")])
    assert found == (HandOver("kill", 3, 3.5),)


def test_the_end_of_who_does_not_lead_is_none() -> None:
    seen = [_leads(0, "one_a"), _writes(2, "one"), _leads(6, "two_c"), _writes(7, "two")]
    found = hand_overs.seen(Trace(exchanges=seen), [_ends(1, "two"), _ends(3, "one")])
    assert found == (HandOver("kill", 3, 4),)


def test_one_that_goes_on_before_another_leads_has_not_ended() -> None:
    seen = [_leads(0, "one_a"), _leads(3, "one_a"), _writes(4, "one")]
    assert hand_overs.seen(Trace(exchanges=seen), [_ends(1, "one", Deed.FREEZE)]) == ()


def test_a_next_one_that_ends_before_it_acts_makes_it_last_longer() -> None:
    seen = [_leads(0, "one_a"), _leads(4, "two_b"), _leads(8, "one_c"), _writes(9, "one")]
    found = hand_overs.seen(Trace(exchanges=seen), [_ends(1, "one"), _ends(5, "two")])
    assert found == (HandOver("kill", 7, 8),)


@pytest.mark.parametrize("status", [409, None])
def test_what_was_not_done_neither_leads_nor_acts(status: int | None) -> None:
    refused_lease, refused_write = _leads(3, "two_b"), _writes(6, "two")
    refused_lease.status = refused_write.status = status
    seen = [_leads(0, "one_a"), refused_lease, _leads(5, "two_b"), refused_write]
    trace = Trace(exchanges=[*seen, _writes(7, "two")])
    assert hand_overs.seen(trace, [_ends(1, "one")]) == (HandOver("kill", 4, 6),)
