"""Events of people's programs through the client, against the real API."""

import pytest

from coxswain.client import AsyncClient, NewEvent, errors
from coxswain.client.models import EventView
from tests.support.leases import Leases
from tests.support.wire import Wire


async def logged(client: AsyncClient) -> list[EventView]:
    found = [each async for each in client.events.list(type="user.")]
    return [each for each in found if isinstance(each, EventView)]


async def test_events_whose_answers_were_lost_stand_once_and_in_order(
    client: AsyncClient, wire: Wire
) -> None:
    given = [NewEvent("user.note", "team", {"number": number}) for number in range(600)]
    wire.cut_after(0, 10, 0)
    answer = await client.events.append(given)
    assert wire.cuts == 3
    assert answer.position == 600
    found = await logged(client)
    assert [each.id for each in found] == [each.id for each in given]
    assert [each.details["number"] for each in found] == list(range(600))


async def test_appending_again_changes_nothing(client: AsyncClient) -> None:
    given = [NewEvent("user.note", "team", kind="Job", name="first")]
    assert (await client.events.append(given)).accepted == 1
    assert (await client.events.append(given)).duplicates == 1
    assert [(each.kind, each.name, each.actor) for each in await logged(client)] == [
        ("Job", "first", "user:local")
    ]


async def test_nothing_is_written_under_a_token_that_was_handed_on(
    client: AsyncClient, leases: Leases
) -> None:
    await leases.has()
    old = await client.leases.acquire("team", "deploy", holder="one")
    await client.leases.release("team", "deploy", old.token, holder="one")
    new = await client.leases.acquire("team", "deploy", holder="two")
    note = NewEvent("user.note", "team")
    with pytest.raises(errors.LeaseLostError):
        await client.events.append([note], under={"team/deploy": old.token})
    assert await logged(client) == []
    await client.events.append([note], under={"team/deploy": new.token})
    assert len(await logged(client)) == 1


async def test_a_wrong_event_is_refused_with_its_place(client: AsyncClient) -> None:
    with pytest.raises(errors.InvalidError) as caught:
        await client.events.append([NewEvent("user.note"), NewEvent("job.succeeded")])
    assert caught.value.field == "events.1.type"
