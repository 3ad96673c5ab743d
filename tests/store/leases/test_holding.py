"""Taking, renewing and letting go: one holder at a time, by the database's clock alone."""

import asyncio

import pytest

from coxswain.api.records import Lease, LeaseHolder
from coxswain.errors import ConflictError, NotFoundError
from coxswain.store.leases import holding
from coxswain.store.leases.holding import Holding, Refused, Wanted
from coxswain.store.pool import Connection
from tests.support.leases import ANN, BOB, Leases

MANY = 400


def code(caught: "pytest.ExceptionInfo[ConflictError]") -> str:
    return caught.value.code


async def test_a_second_holder_is_refused_and_told_who_holds_it(leases: Leases) -> None:
    await leases.has()
    mine = await leases.takes(ANN)
    assert (mine.state, mine.token, mine.holder) == ("Held", 1, ANN)
    with pytest.raises(ConflictError, match="held by user:ann") as refused:
        await leases.takes(BOB)
    assert code(refused) == "lease_held"


async def test_of_many_who_ask_at_once_one_gets_it(leases: Leases) -> None:
    await leases.has()
    people = [LeaseHolder.of_user("ann", str(number)) for number in range(20)]
    answers = await asyncio.gather(*(leases.asks(each) for each in people))
    given = [each for each in answers if isinstance(each, Lease)]
    assert [each.token for each in given] == [1]
    assert (await leases.row()).holder == given[0].holder


async def test_taking_it_again_changes_nothing(leases: Leases) -> None:
    await leases.has()
    first = await leases.takes(ANN)
    again = await leases.takes(ANN)
    assert (again.token, again.acquired_at, again.expires_at) == (
        1,
        first.acquired_at,
        first.expires_at,
    )
    assert await leases.told() == [("lease.acquired", 1)]


async def test_a_renewal_moves_its_end_and_tells_nobody(leases: Leases) -> None:
    await leases.has()
    mine = await leases.takes(ANN)
    await leases.passes(20)
    renewed = await leases.renews(ANN, mine.token)
    assert mine.expires_at is not None
    assert renewed.expires_at is not None
    assert renewed.expires_at >= mine.expires_at
    assert await leases.told() == [("lease.acquired", 1)]


async def test_a_holder_whose_time_is_over_cannot_renew(leases: Leases) -> None:
    await leases.has()
    mine = await leases.takes(ANN)
    await leases.passes(31)
    with pytest.raises(ConflictError, match="acquire it anew") as refused:
        await leases.renews(ANN, mine.token)
    assert code(refused) == "lease_expired"


async def test_somebody_else_takes_what_is_over_with_a_larger_token(leases: Leases) -> None:
    await leases.has()
    mine = await leases.takes(ANN)
    await leases.passes(31)
    theirs = await leases.takes(BOB)
    assert theirs.token == mine.token + 1
    assert await leases.told() == [
        ("lease.acquired", 1),
        ("lease.reclaimed", 1),
        ("lease.acquired", 2),
    ]
    with pytest.raises(ConflictError, match="held by user:bob, not by user:ann"):
        await leases.renews(ANN, mine.token)


@pytest.mark.parametrize("deed", [Leases.renews, Leases.lets_go])
async def test_a_wrong_holder_is_refused_by_name(leases: Leases, deed: object) -> None:
    await leases.has()
    mine = await leases.takes(ANN)
    with pytest.raises(ConflictError, match="held by user:ann, not by user:bob") as refused:
        await deed(leases, BOB, mine.token)  # type: ignore[operator]
    assert code(refused) == "lease_not_held"
    assert (await leases.row()).holder == ANN


@pytest.mark.parametrize("deed", [Leases.renews, Leases.lets_go])
async def test_a_token_from_the_future_is_refused(leases: Leases, deed: object) -> None:
    await leases.has()
    await leases.takes(ANN)
    with pytest.raises(ConflictError, match="never given out; the latest is 1") as refused:
        await deed(leases, ANN, 9)  # type: ignore[operator]
    assert code(refused) == "lease_token_unknown"


async def test_a_former_token_of_the_same_holder_is_refused(leases: Leases) -> None:
    await leases.has()
    first = await leases.takes(ANN)
    await leases.lets_go(ANN, first.token)
    await leases.takes(ANN)
    with pytest.raises(ConflictError, match="at token 2 by now") as refused:
        await leases.renews(ANN, first.token)
    assert code(refused) == "lease_lost"


async def test_letting_go_frees_it_and_the_same_again_is_harmless(leases: Leases) -> None:
    await leases.has()
    mine = await leases.takes(ANN)
    for _ in range(2):
        freed = await leases.lets_go(ANN, mine.token)
        assert (freed.state, freed.holder, freed.former_holder) == ("Free", None, "user:ann")
    assert await leases.told() == [("lease.acquired", 1), ("lease.released", 1)]
    assert (await leases.takes(BOB)).token == 2


async def test_what_is_not_there_cannot_be_taken(leases: Leases) -> None:
    with pytest.raises(NotFoundError, match="no Lease 'deploy'"):
        await leases.takes(ANN)


async def test_nobody_steals_without_a_rule(leases: Leases) -> None:
    await leases.has()
    await leases.takes(ANN)
    with pytest.raises(ConflictError, match=r"spec\.stealAfterSeconds") as refused:
        await leases.takes(BOB, steal=True)
    assert code(refused) == "lease_not_stealable"


async def test_by_its_rule_it_is_stolen_from_one_who_renews(leases: Leases) -> None:
    await leases.has(steal_after_seconds=25)
    mine = await leases.takes(ANN)
    with pytest.raises(ConflictError, match="may be stolen from"):
        await leases.takes(BOB, steal=True)
    await leases.passes(26)
    await leases.renews(ANN, mine.token)
    with pytest.raises(ConflictError, match="held by user:ann"):
        await leases.takes(BOB)
    assert (await leases.takes(BOB, steal=True)).token == 2
    told = await leases.told()
    assert told[1:] == [("lease.reclaimed", 1), ("lease.acquired", 2)]


async def test_a_batch_renews_what_is_held_and_says_why_not_of_the_rest(leases: Leases) -> None:
    for name in ("a", "b", "c"):
        await leases.has(name)
    await leases.takes(ANN, "a")
    await leases.takes(BOB, "b")
    wanted = [Holding(("team", name), ANN, 1) for name in ("none", "c", "b", "a")]
    answers = await leases.sidecar.transact(holding.renew, wanted)
    codes = [getattr(answer, "code", "renewed") for answer in answers]
    assert codes == ["lease_unknown", "lease_not_held", "lease_not_held", "renewed"]


async def test_a_renewal_of_many_reads_each_row_a_few_times_whatever_the_planner_knows(
    leases: Leases,
) -> None:
    names = [f"l{number}" for number in range(MANY)]
    for name in names:
        await leases.has(name)
    asked = [Wanted("team", name, ANN, ANN.text) for name in names]
    held = await leases.sidecar.transact(holding.acquire_all, asked)
    wanted = [
        Holding(("team", each.name), ANN, each.token) for each in held if isinstance(each, Lease)
    ]

    async def read(connection: Connection) -> int:
        # What a connection comes to after a while: one plan for every number of leases.
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await holding.renew(connection, wanted)
        looked: int = await connection.fetchval(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'leases'"
        )
        return looked

    assert len(wanted) == MANY
    assert await leases.sidecar.transact(read) <= 6 * MANY


async def test_of_those_who_renew_the_same_lease_at_once_only_its_holder_does(
    leases: Leases,
) -> None:
    await leases.has()
    await leases.takes(ANN)
    wanted = [Holding(("team", "deploy"), who, 1) for who in (BOB, ANN, BOB, ANN)]
    answers = await leases.sidecar.transact(holding.renew, wanted)
    codes = [getattr(answer, "code", "renewed") for answer in answers]
    assert codes == ["lease_not_held", "renewed"] * 2


async def test_those_who_ask_together_are_served_in_their_order_each_for_itself(
    leases: Leases,
) -> None:
    for name in ("a", "b"):
        await leases.has(name)
    asked = [("a", ANN, 0), ("b", BOB, 0), ("a", BOB, 5), ("none", ANN, 0), ("a", ANN, 0)]
    wanted = [Wanted("team", name, who, who.text, wait_seconds=wait) for name, who, wait in asked]
    answers = await leases.sidecar.transact(holding.acquire_all, wanted)
    said = [each.token if isinstance(each, Lease) else each.why.code for each in answers]
    assert said == [1, 1, "lease_held", "lease_unknown", 1]
    assert (await leases.row("a")).first_waiter == "user:bob"
    assert await leases.told("a") == [("lease.acquired", 1)]
    freeing = [(Holding(("team", name), who, 1), who.text) for name, who, _ in asked]
    freed = await leases.sidecar.transact(holding.release_all, freeing)
    codes = [getattr(each, "code", "free") for each in freed]
    assert codes == ["free", "free", "lease_not_held", "lease_unknown", "free"]
    assert await leases.told("a") == [("lease.acquired", 1), ("lease.released", 1)]


async def test_a_refusal_without_waiting_leaves_no_ticket(leases: Leases) -> None:
    await leases.has()
    await leases.takes(ANN)
    answer = await leases.asks(BOB)
    assert isinstance(answer, Refused)
    assert answer.ahead is None
    assert (await leases.row()).waiters == 0
