"""What kopf's peering promises and does not: why we elect a leader ourselves (docs/museum.md)."""

from typing import Any

from tests.support.apiserver import eventually
from tests.support.between import Asked
from tests.support.museum import PEERING, Museum
from tests.support.waiting import until

LIFETIME = 3
PEERED: dict[str, Any] = {
    "peering.name": "museum",
    "peering.mandatory": True,
    "peering.lifetime": LIFETIME,
}
FIRST: dict[str, Any] = {**PEERED, "peering.priority": 100}


async def test_two_of_one_priority_both_stand_still_until_one_is_gone(room: Museum) -> None:
    async def both_are_there() -> bool:
        return len(await room.peers()) == 2

    await room.found_peering()
    with room.opened("events", "one", PEERED) as one:
        with room.opened("events", "two", PEERED) as two:
            await eventually(both_are_there)
            # Each has heard of the other once its stream of exhibits is closed.
            await until(lambda: not room.watches("one") and not room.watches("two"))
            await room.make("idle")
            before = {who: room.renewals(who) for who in ("one", "two")}
            await until(lambda: all(room.renewals(who) > n for who, n in before.items()))
            assert one.rows("seen") + two.rows("seen") == []
        await one.tells("seen", "idle")


async def test_a_leader_that_cannot_say_that_it_lives_acts_beside_its_successor(
    room: Museum,
) -> None:
    def is_its_word(asked: Asked) -> bool:
        return (asked.who, asked.method) == ("first", "PATCH") and PEERING[2] in asked.path

    await room.found_peering()
    with room.opened("events", "first", FIRST) as first:
        await until(lambda: room.watches("first"))
        await room.make("before")
        await first.tells("seen", "before")
        with room.opened("events", "second", PEERED) as second:
            await until(lambda: room.watches("second", PEERING[2]))
            room.between.loses = is_its_word
            await second.tells("seen", "before")
            for name in ("one", "another"):
                await room.make(name)
                await second.tells("seen", name)
                await first.tells("seen", name)
    assert room.between.lost
