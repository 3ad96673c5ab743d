"""Flags that change while everything runs: set all or none, seen by every replica in time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio

from coxswain.api.agent import Provider
from coxswain.api.contract import ModelRoute
from coxswain.errors import ConflictError, CoxswainError, UnavailableError
from coxswain.gateway.models.destinations import Destinations, RefusedError
from coxswain.process import switches
from coxswain.rules.flags import DEMO, SCHEDULES, TABLE
from coxswain.store import flags
from coxswain.store.flags import KEPT_SECONDS, Switch
from coxswain.store.pool import Connection, Store
from tests.support import waiting
from tests.support.postgres import Database, opened

ON = SimpleNamespace(mode="dev", demo_provider=True, schedules_enabled=True)


@dataclass
class Replica:
    """A process with a pool and a clock of its own."""

    store: Store
    now: float = 0.0

    def switch(self, given: Any = ON) -> Switch:
        return Switch(self.store, DEMO, given, clock=lambda: self.now)


@pytest_asyncio.fixture
async def replicas(database: Database) -> AsyncIterator[tuple[Replica, Replica]]:
    async with opened(database.gateway) as one, opened(database.gateway) as other:
        yield Replica(one), Replica(other, now=1000.0)


def whatever(_version: int) -> bool:
    return True


async def set_to(store: Store, on: bool | None) -> int:
    wanted = {DEMO.name: on}
    return flags.version(await store.transact(flags.change, wanted, "user:ada", whatever))


async def test_every_flag_of_the_table_is_there_and_nobody_has_set_one(
    sidecar_store: Store,
) -> None:
    found = await sidecar_store.run(flags.standing)
    assert set(found) == set(TABLE)
    assert all(each.is_on is None and each.changed_by is None for each in found.values())
    assert flags.version(found) == 0


async def test_a_change_is_seen_by_every_replica_after_two_seconds_and_not_asked_for_more_often(
    sidecar_store: Store, replicas: tuple[Replica, Replica]
) -> None:
    switches = [each.switch() for each in replicas]
    assert [await each.is_on() for each in switches] == [True, True]
    await set_to(sidecar_store, False)
    for each in replicas:
        each.now += KEPT_SECONDS - 0.01
    assert [await each.is_on() for each in switches] == [True, True]
    for each in replicas:
        each.now += 0.01
    assert [await each.is_on() for each in switches] == [False, False]
    await set_to(sidecar_store, None)
    for each in replicas:
        each.now += KEPT_SECONDS
    assert [await each.is_on() for each in switches] == [True, True]


async def test_the_model_gateway_goes_by_the_flag(
    sidecar_store: Store, replicas: tuple[Replica, Replica]
) -> None:
    async def no_secret(path: str) -> dict[str, Any]:
        raise AssertionError(path)

    replica = replicas[0]
    where = Destinations(no_secret, listed_urls=(), demo=replica.switch().is_on)
    demo = ModelRoute(alias="main", provider=Provider.DEMO, model="demo")
    assert (await where.find("team", demo)).url == ""
    await set_to(sidecar_store, False)
    replica.now += KEPT_SECONDS
    with pytest.raises(RefusedError, match="switched off"):
        await where.find("team", demo)


async def test_the_demo_provider_stays_off_in_prod_whatever_the_flag_says(
    sidecar_store: Store, replicas: tuple[Replica, Replica]
) -> None:
    await set_to(sidecar_store, True)
    given = SimpleNamespace(mode="prod", demo_provider=False)
    assert await replicas[0].switch(given).is_on() is False


async def test_without_the_database_nobody_says_what_a_flag_is(database: Database) -> None:
    async with opened(database.gateway) as store:
        switch = Replica(store).switch()
    with pytest.raises(CoxswainError) as refused:
        await switch.is_on()
    assert isinstance(refused.value, UnavailableError)


async def test_a_change_has_who_made_it_and_the_same_again_changes_nothing(
    sidecar_store: Store,
) -> None:
    assert await set_to(sidecar_store, False) == 1
    first = (await sidecar_store.run(flags.standing))[DEMO.name]
    assert (first.is_on, first.changed_by) == (False, "user:ada")
    wanted = {DEMO.name: False}
    await sidecar_store.transact(flags.change, wanted, "user:ben", whatever)
    assert (await sidecar_store.run(flags.standing))[DEMO.name] == first


async def test_a_change_of_what_is_no_longer_so_changes_nothing(sidecar_store: Store) -> None:
    await set_to(sidecar_store, False)
    both = {SCHEDULES.name: False, DEMO.name: True}
    with pytest.raises(ConflictError) as refused:
        await sidecar_store.transact(flags.change, both, "user:ben", lambda seen: seen == 0)
    assert refused.value.code == "precondition_failed"
    found = await sidecar_store.run(flags.standing)
    assert [found[name].is_on for name in (DEMO.name, SCHEDULES.name)] == [False, None]
    await sidecar_store.transact(flags.change, both, "user:ben", lambda seen: seen == 1)
    found = await sidecar_store.run(flags.standing)
    assert [found[name].is_on for name in (DEMO.name, SCHEDULES.name)] == [True, False]
    assert flags.version(found) == 2


@pytest.mark.parametrize(
    "statement",
    ["UPDATE flags SET is_on = true", "DELETE FROM flags", "INSERT INTO flags (name) VALUES ('x')"],
)
async def test_only_the_api_changes_flags_and_nobody_makes_one(
    operator_store: Store, gateway_store: Store, sidecar_store: Store, statement: str
) -> None:
    async def attempt(connection: Connection) -> None:
        await connection.execute(statement)

    stores = [operator_store, gateway_store]
    stores += [] if statement.startswith("UPDATE") else [sidecar_store]
    for store in stores:
        with pytest.raises(CoxswainError, match="42501"):
            await store.transact(attempt)


async def test_a_change_wakes_the_leader_and_what_was_found_first_does_not(
    sidecar_store: Store, replicas: tuple[Replica, Replica]
) -> None:
    woken: list[str] = []
    switch = Switch(replicas[0].store, DEMO, ON, kept_seconds=0)
    following = asyncio.create_task(
        switches.follow(switch, lambda: woken.append("once"), period=0.01)
    )
    asked = Switch(replicas[0].store, DEMO, ON, kept_seconds=0)
    assert await asked.is_on()
    assert woken == []
    for times, on in ((1, False), (1, False), (2, True)):
        await set_to(sidecar_store, on)
        await waiting.until(lambda: len(woken) >= times)  # noqa: B023 - waited for here
        assert len(woken) == times
    following.cancel()
