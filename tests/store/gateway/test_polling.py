"""Pages at the real gateway: what changed fires once, and nothing else does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest

from coxswain.api.triggers import PollState
from coxswain.store import polls, triggers
from coxswain.store.pool import Connection
from tests.support import channels, rows
from tests.support.channels import Channels
from tests.support.postgres import Database
from tests.support.receiver import Drop, Flood, Hang, Receiver, Say

SECONDS = 15.0


@asynccontextmanager
async def gateway(
    database: Database, page: Receiver, *, like: Channels | None = None, **settings: object
) -> AsyncIterator[Channels]:
    """A gateway that may look at the page."""
    origin = f"http://page.test:{page.port}"
    given = {"polls_allowed_domains": ["page.test"], "polls_origins": [origin], **settings}
    async with channels.running(database, like=like, **given) as started:
        yield started


async def watch(place: Channels, page: Receiver, name: str = "watch", path: str = "/") -> str:
    """A Schedule that looks at the page once in ten seconds."""
    url = f"http://page.test:{page.port}{path}"
    return await place.schedule(name, poll={"url": url, "intervalSeconds": 10})


async def due(place: Channels) -> None:
    """Time goes by, for the database, until every page is due."""
    connection = await asyncpg.connect(place.database.admin)
    await connection.execute("UPDATE polls SET due_at = now() WHERE claim IS NULL")
    await connection.close()


async def state(place: Channels, uid: str, wanted: Callable[[PollState], bool]) -> PollState:
    """How the looks of a Schedule went, once it is as wanted."""
    async with asyncio.timeout(SECONDS):
        while True:
            found = (await place.operator.run(polls.of, [uid])).get(uid)
            if found is not None and wanted(found):
                return found
            await asyncio.sleep(0.01)


async def look(place: Channels, page: Receiver, count: int) -> None:
    """Wait until the page was looked at so often, and all of it is settled."""
    await page.has(count)
    async with asyncio.timeout(SECONDS):
        while await place.operator.run(_under_way):  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.01)


async def _under_way(connection: Connection) -> bool:
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM polls WHERE claim IS NOT NULL)"
    )
    return found


async def test_a_changed_page_fires_once_and_an_unchanged_one_never(database: Database) -> None:
    async with Receiver() as page, gateway(database, page) as place:
        page.will(Say(body=b"a"), Say(body=b"a"), Say(body=b"b"), Say(body=b"b"), Say(body=b"a"))
        uid = await watch(place, page)
        fired = []
        for n in range(1, 6):
            await look(place, page, n)
            fired.append(len(await place.taken(uid)))
            await due(place)
        assert fired == [0, 0, 1, 1, 2]
        first, second = await place.taken(uid)
        assert first.source == "Poll"
        assert first.digest != second.digest


async def test_a_restart_does_not_fire_what_did_not_change_and_fires_what_did(
    database: Database,
) -> None:
    async with Receiver() as page:
        page.always(Say(body=b"a"))
        async with gateway(database, page) as place:
            uid = await watch(place, page)
            await look(place, page, 1)
        async with gateway(database, page, like=place) as again:
            await due(again)
            await look(again, page, 2)
            assert await again.taken(uid) == ()
        page.always(Say(body=b"b"))
        async with gateway(database, page, like=place) as third:
            await due(third)
            await look(third, page, 3)
            assert len(await third.taken(uid)) == 1


async def test_replicas_share_the_pages_and_look_at_each_once(database: Database) -> None:
    async with (
        Receiver() as page,
        gateway(database, page) as one,
        gateway(database, page, like=one),
    ):
        for n in range(20):
            await watch(one, page, f"s{n}", path=f"/{n}")
        await look(one, page, 20)
        paths = sorted(each.path for each in page.received)
        assert paths == sorted(f"/{n}" for n in range(20))


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (Say(500), "Status"),
        (Say(302, {"Location": "http://page.test/elsewhere"}), "Status"),
        (Say(headers={"Content-Encoding": "gzip"}, body=b"x"), "Encoded"),
        (Drop(), "Cut"),
        (Flood(), "TooLarge"),
        (Hang(), "Timeout"),
    ],
    ids=["status", "redirect", "encoded", "cut", "flood", "hang"],
)
async def test_a_look_that_fails_is_shown_and_fires_nothing_and_a_change_behind_it_does(
    database: Database, step: Say | Drop | Flood | Hang, error: str
) -> None:
    async with Receiver() as page, gateway(database, page, polls_timeout_seconds=1.0) as place:
        page.will(Say(body=b"a"), step, Say(body=b"b"))
        uid = await watch(place, page)
        await look(place, page, 1)
        await due(place)
        await look(place, page, 2)
        shown = (await place.operator.run(polls.of, [uid]))[uid]
        assert (shown.error, shown.failures) == (error, 1)
        assert await place.taken(uid) == ()
        await due(place)
        await look(place, page, 3)
        shown = (await place.operator.run(polls.of, [uid]))[uid]
        assert (shown.error, shown.failures) == ("", 0)
        assert len(await place.taken(uid)) == 1


async def test_a_page_that_the_installation_does_not_list_is_not_looked_at(
    database: Database,
) -> None:
    async with Receiver() as page, channels.running(database) as place:
        uid = await watch(place, page)
        shown = await state(place, uid, lambda found: found.checked_at is not None)
        assert shown.error == "NotAllowed"
        assert page.received == []


async def test_a_listed_host_at_a_private_address_is_refused_where_its_origin_is_not_listed(
    database: Database,
) -> None:
    async with channels.running(database, polls_allowed_domains=["page.test"]) as place:
        uid = await place.schedule(
            "watch", poll={"url": "https://page.test/", "intervalSeconds": 10}
        )
        shown = await state(place, uid, lambda found: found.checked_at is not None)
        assert shown.error == "AddressNotAllowed"


async def test_a_suspended_schedule_is_not_looked_at_and_what_changed_meanwhile_fires_nothing(
    database: Database,
) -> None:
    async with Receiver() as page, gateway(database, page) as place:
        page.will(Say(body=b"a"), Say(body=b"b"), Say(body=b"c"))
        uid = await watch(place, page)
        await look(place, page, 1)
        url = f"http://page.test:{page.port}/"
        await place.schedule("watch", poll={"url": url, "intervalSeconds": 10}, suspend=True)
        await due(place)
        await state(place, uid, lambda found: not found.digest)
        assert len(page.received) == 1
        await watch(place, page)
        await due(place)
        await look(place, page, 2)
        assert await place.taken(uid) == ()
        await due(place)
        await look(place, page, 3)
        assert len(await place.taken(uid)) == 1


async def test_a_change_waits_while_the_schedule_is_full_and_is_not_lost(
    database: Database,
) -> None:
    async with Receiver() as page, gateway(database, page) as place:
        page.will(Say(body=b"a"), Say(body=b"b"))
        uid = await watch(place, page)
        await look(place, page, 1)
        await rows.triggers(database.admin, uid, triggers.MOST_OPEN)
        await due(place)
        await page.has(2)
        waiting = await place.taken(uid)
        await place.operator.transact(triggers.handle, [each.id for each in waiting])
        async with asyncio.timeout(SECONDS):
            while not any(each.source == "Poll" for each in await place.taken(uid)):
                left = await place.taken(uid)
                await place.operator.transact(triggers.handle, [each.id for each in left])
                await asyncio.sleep(0.05)
