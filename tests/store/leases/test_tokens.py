"""Whatever is written under a lease bounces once a larger token was given out, whoever writes it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from coxswain.api.records import LeaseHolder
from coxswain.errors import ConflictError
from coxswain.store import claims, fencing, runs
from coxswain.store.claims import Pod
from coxswain.store.leases import of_runs
from coxswain.store.pool import Connection, Store
from coxswain_controllers.job import leased
from tests.store.test_fencing import WRITES
from tests.support.leases import ANN, BOB, Leases
from tests.support.rows import new_run, pod

Write = Callable[[Connection, str], Awaitable[Any]]
FENCED = {name: write for name, write in WRITES.items() if name != "heartbeat"}


async def running(leases: Leases) -> Pod:
    """A run that holds a lease which may be stolen."""
    await leases.has(steal_after_seconds=1)
    new = new_run(leases=["deploy"])
    await leases.operator.transact(runs.open_run, new)
    owner = pod(name=new.pod_name)
    await leases.sidecar.transact(claims.claim, new.key, owner)
    await leases.passes(2)
    return owner


@pytest.mark.parametrize("write", FENCED.values(), ids=FENCED)
async def test_a_run_whose_lease_somebody_else_was_given_writes_nothing(
    leases: Leases, write: Write
) -> None:
    owner = await running(leases)
    await leases.sidecar.transact(write, owner.uid)
    await leases.takes(BOB, steal=True)
    with pytest.raises(ConflictError, match="at token 2 by now, held by user:bob") as refused:
        await leases.sidecar.transact(write, owner.uid)
    assert refused.value.code == "lease_lost"
    assert await leases.sidecar.transact(claims.heartbeat, owner.uid)


@pytest.mark.parametrize("write", FENCED.values(), ids=FENCED)
async def test_a_run_whose_row_was_lost_has_lost_its_leases_and_writes_nothing(
    leases: Leases, write: Write
) -> None:
    await leases.has(last_token=7, last_holder="job:first/1")
    new, owner = new_run(leases=["deploy"]), pod()
    run = await leases.operator.transact(runs.rewrite, new, token=3, pod_uid=owner.uid)
    holder = LeaseHolder.of_run(new.key, new.job_name)
    found = await leases.operator.run(of_runs.wanted, "team", ["deploy"], holder)
    assert [each.name for each in leased.lost(run, found)] == ["deploy"]
    with pytest.raises(ConflictError, match="at token 7 by now") as refused:
        await leases.sidecar.transact(write, owner.uid)
    assert refused.value.code == "lease_lost"
    assert await leases.sidecar.transact(claims.heartbeat, owner.uid)


@pytest.mark.parametrize("write", FENCED.values(), ids=FENCED)
async def test_a_write_that_is_under_way_is_whole_before_the_lease_is_handed_over(
    leases: Leases, write: Write
) -> None:
    owner = await running(leases)
    wrote, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(connection: Connection) -> None:
        await write(connection, owner.uid)
        wrote.set()
        await go_on.wait()

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        writing = group.create_task(leases.sidecar.transact(slowly))
        await wrote.wait()
        stealing = group.create_task(leases.takes(BOB, steal=True))
        done, _ = await asyncio.wait([stealing], timeout=0.3)
        assert not done
        go_on.set()
        await writing
        assert (await stealing).token == 2


async def test_a_token_that_was_never_given_out_is_refused(
    leases: Leases, sidecar_store: Store
) -> None:
    await leases.has()
    await leases.takes(ANN)
    await sidecar_store.transact(fencing.require, "team", {"deploy": 1})
    for tokens, code in (({"deploy": 2}, "lease_token_unknown"), ({"none": 1}, "lease_unknown")):
        with pytest.raises(ConflictError) as refused:
            await sidecar_store.transact(fencing.require, "team", tokens)
        assert refused.value.code == code


async def test_the_last_holder_may_write_until_the_next_one_is_given_it(
    leases: Leases, sidecar_store: Store
) -> None:
    await leases.has()
    mine = await leases.takes(ANN)
    await leases.passes(31)
    await leases.lapse()
    await sidecar_store.transact(fencing.require, "team", {"deploy": mine.token})
    await leases.takes(BOB)
    with pytest.raises(ConflictError):
        await sidecar_store.transact(fencing.require, "team", {"deploy": mine.token})
