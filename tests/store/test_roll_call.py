"""Processes of an installation find each other in Postgres, and say how they are."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import pytest
import pytest_asyncio

from coxswain.api.standing import Role, Standing
from coxswain.errors import UnavailableError
from coxswain.store import sessions
from coxswain.store.listener import Listener, notify
from coxswain.store.pool import Store
from coxswain.web import roll_call
from coxswain.web.health import Health
from coxswain.web.readiness import Dependency
from coxswain.web.roll_call import Answering, Presence, Roll, RollCall
from tests.support.postgres import Database, opened


async def bad() -> None:
    raise UnavailableError("away")


@dataclass
class Process:
    """A process as the others see it; ``mute`` ones listen and say nothing."""

    presence: Presence
    roll: RollCall
    id: str


@asynccontextmanager
async def process(
    dsn: str, component: str, *dependencies: Dependency, mute: bool = False
) -> AsyncIterator[Process]:
    presence, health = Presence(component), Health(*dependencies)
    listener = presence.listener(dsn, [roll_call.ANSWERS])
    async with opened(dsn) as store, AsyncExitStack() as stack:
        answering = Answering(store, listener, lambda: presence.standing(health, Role.ACTIVE))
        roll = RollCall(store, listener)
        work = [listener.run()] if mute else [listener.run(), answering.run()]
        tasks = [asyncio.create_task(each) for each in work]
        stack.push_async_callback(_end, tasks)
        await _connected(listener)
        yield Process(presence, roll, presence.id)


def asking(dsn: str) -> Listener:
    return Presence("sidecar").listener(dsn, [roll_call.ANSWERS])


async def _connected(listener: Listener) -> None:
    async with asyncio.timeout(10):
        while not listener.connected:  # noqa: ASYNC110 - another task connects
            await asyncio.sleep(0.01)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for each in tasks:
        each.cancel()
        with suppress(asyncio.CancelledError):
            await each


@pytest_asyncio.fixture
async def asker(database: Database) -> AsyncIterator[Process]:
    async with process(database.sidecar, "sidecar") as made:
        yield made


def names(roll: Roll) -> list[str]:
    return sorted(each.component for each in roll.answered)


async def test_every_process_answers_for_itself_and_each_at_once(
    asker: Process, database: Database
) -> None:
    async with (
        process(database.gateway, "models"),
        process(database.operator, "operator", Dependency("postgres", bad)),
    ):
        began = asyncio.get_running_loop().time()
        roll = await asker.roll.take()
        assert asyncio.get_running_loop().time() - began < roll_call.WAIT_SECONDS
    assert names(roll) == ["models", "operator", "sidecar"]
    assert roll.silent == {}
    (operator,) = (each for each in roll.answered if each.component == "operator")
    assert (operator.ready, operator.broken, operator.role) == (False, ["postgres"], Role.ACTIVE)


async def test_who_listens_and_does_not_answer_is_silent(
    asker: Process, database: Database
) -> None:
    async with process(database.gateway, "models", mute=True) as mute:
        roll = await asker.roll.take()
    assert names(roll) == ["sidecar"]
    assert roll.silent == {mute.id: "models"}


async def test_who_is_gone_is_not_there(asker: Process, database: Database) -> None:
    async with process(database.gateway, "models"):
        pass
    async with opened(database.sidecar) as store, asyncio.timeout(10):
        while len(await store.run(sessions.listening)) > 1:  # noqa: ASYNC110 - the server ends it
            await asyncio.sleep(0.01)
    roll = await asker.roll.take()
    assert (names(roll), roll.silent) == (["sidecar"], {})


async def test_nonsense_and_late_answers_are_nobodys(asker: Process, sidecar_store: Store) -> None:
    known = Standing(
        component="models",
        replica="a",
        id="1",
        version="1",
        role=Role.ACTIVE,
        ready=True,
        broken=[],
    )
    late = json.dumps({"question": "of-yesterday", "standing": known.model_dump(mode="json")})
    for text in ("", "no", "[]", '{"question": 1}', late):
        await sidecar_store.run(notify, roll_call.ANSWERS, text)
    assert names(await asker.roll.take()) == ["sidecar"]


async def test_without_a_database_nobody_can_be_asked(database: Database) -> None:
    gone = database.sidecar.replace(database.name, "not_there")
    async with opened(gone) as store:
        with pytest.raises(UnavailableError):
            await RollCall(store, asking(gone)).take()


async def test_a_process_that_hears_nothing_does_not_call_the_others_silent(
    database: Database,
) -> None:
    async with process(database.gateway, "models"), opened(database.sidecar) as store:
        deaf = RollCall(store, asking(database.sidecar))
        with pytest.raises(UnavailableError, match="hears no notification"):
            await deaf.take()
