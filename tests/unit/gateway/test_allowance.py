"""What a run may let through: never more than its Agent says, over all replicas of the web door."""

import asyncio
import contextlib
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coxswain.api.records import RunKey
from coxswain.errors import ForbiddenError, UnavailableError
from coxswain.gateway.egress.allowance import GRANT_BYTES, PARTS, Allowance, Allowances
from coxswain.gateway.egress.relay import READ_BYTES
from tests.support import rows

KEY = RunKey("8f1b5a3c-0000-4000-8000-000000000001", 1)
MIB = 1_048_576


@dataclass
class Ledger:
    """What all replicas share."""

    used: int = 0
    asked: int = 0
    away: bool = False

    async def grant(self, _: RunKey, wanted: int, most: int) -> int:
        if self.away:
            raise UnavailableError("away")
        self.asked += 1
        granted = min(wanted, most - self.used)
        self.used += granted
        return granted


async def used_up_by(allowances: list[Allowance], counts: list[tuple[int, int]]) -> int:
    """How much went through when each of these was asked for at a replica, then all that is left."""
    passed = 0
    for replica, count in counts:
        with contextlib.suppress(ForbiddenError):
            await allowances[replica % len(allowances)].take(count)
            passed += count
    for each in allowances:
        with contextlib.suppress(ForbiddenError):
            while True:
                await each.take(READ_BYTES)
                passed += READ_BYTES
    return passed


@given(
    most=st.integers(READ_BYTES, 20 * MIB),
    replicas=st.integers(1, 4),
    counts=st.lists(st.tuples(st.integers(0, 3), st.integers(1, READ_BYTES)), max_size=60),
)
def test_a_run_gets_no_byte_more_and_little_less(
    most: int, replicas: int, counts: list[tuple[int, int]]
) -> None:
    ledger = Ledger()
    shares = [Allowance(KEY, most, ledger.grant) for _ in range(replicas)]
    passed = asyncio.run(used_up_by(shares, counts))
    assert passed <= most
    # Each replica may be left with less than the next read wants.
    assert passed > most - replicas * READ_BYTES


@pytest.mark.parametrize("most", [READ_BYTES, MIB, 3 * MIB, 1024 * MIB])
async def test_a_replica_keeps_no_more_than_a_grant_from_the_others(most: int) -> None:
    ledger = Ledger()
    await Allowance(KEY, most, ledger.grant).take(1)
    assert ledger.used <= min(GRANT_BYTES, max(READ_BYTES, -(-most // PARTS)))


async def test_the_last_byte_goes_through_and_not_one_more() -> None:
    allowance = Allowance(KEY, 3 * READ_BYTES, Ledger().grant)
    for count in (1, READ_BYTES - 1, READ_BYTES, READ_BYTES - 1, 1):
        await allowance.take(count)
    with pytest.raises(ForbiddenError):
        await allowance.take(1)


async def test_connections_at_the_same_time_share_what_was_granted() -> None:
    ledger = Ledger()
    allowance = Allowance(KEY, 64 * MIB, ledger.grant)
    await asyncio.gather(*(allowance.take(1000) for _ in range(1000)))
    assert (ledger.asked, ledger.used) == (1, MIB)


async def test_a_run_without_a_bound_asks_nobody() -> None:
    ledger = Ledger(away=True)
    allowance = Allowances(ledger.grant).of(rows.run_of(rows.document(KEY.job_uid)))
    await allowance.require()
    await allowance.take(10 * MIB)
    assert ledger.asked == 0


async def test_the_connections_of_a_run_share_one_allowance() -> None:
    ledger = Ledger()
    known = Allowances(ledger.grant)
    run = rows.run_of(rows.document(KEY.job_uid).model_copy(update={"egress_bytes": READ_BYTES}))
    await known.of(run).take(READ_BYTES)
    with pytest.raises(ForbiddenError) as refused:
        await known.of(run).require()
    assert refused.value.code == "egress_bytes_used_up"
    assert "spec.sandbox.egress.bytesPerRun" in refused.value.message


async def test_a_run_that_was_cut_gets_no_further_connection_out_of_what_was_left() -> None:
    ledger = Ledger()
    allowance = Allowance(KEY, READ_BYTES, ledger.grant)
    await allowance.take(READ_BYTES - 10)
    for ask in (allowance.take(11), allowance.require(), allowance.take(1)):
        with pytest.raises(ForbiddenError):
            await ask


async def test_what_is_open_waits_while_the_database_is_away() -> None:
    ledger = Ledger(away=True)
    allowance = Allowance(KEY, MIB, ledger.grant, retry_seconds=0.01)
    waiting = asyncio.create_task(allowance.take_patiently(1))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    ledger.away = False
    await asyncio.wait_for(waiting, 5)
    assert ledger.used == READ_BYTES
