"""What chaos does to the machine is found again and taken back."""

from datetime import UTC, datetime

from devtools.node import firewall
from tests.faults.chaos import load, node

SAVED = """*raw
:PREROUTING ACCEPT [0:0]
:COXSWAIN-CHAOS - [0:0]
-A PREROUTING -i cali123 -j COXSWAIN-CHAOS
-A PREROUTING -m comment --comment "cali:6gwbT8clXdHdC1b1" -j cali-PREROUTING
-A COXSWAIN-CHAOS -j DROP
COMMIT
"""


def test_the_rules_that_lead_to_the_chain_are_found_and_no_other() -> None:
    assert node.leading(SAVED) == [["PREROUTING", "-i", "cali123", "-j", "COXSWAIN-CHAOS"]]


def test_taking_the_node_down_takes_them_away() -> None:
    told = firewall.removal("raw", SAVED).splitlines()
    assert "-D PREROUTING -i cali123 -j COXSWAIN-CHAOS" in told
    assert "-X COXSWAIN-CHAOS" in told


def test_no_tick_falls_on_the_ends_of_the_schedule() -> None:
    first, last = load.between_ticks(datetime(2026, 11, 30, 8, 0, 3, tzinfo=UTC), 180.0)
    assert first == datetime(2026, 11, 30, 8, 0, 16, tzinfo=UTC)
    assert (last - first).total_seconds() == 180
