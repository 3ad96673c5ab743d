"""Batches: one round trip for many who ask, and its error to those who were in it."""

import asyncio
from collections.abc import Sequence

import pytest

from coxswain.errors import UnavailableError
from coxswain.reconcile.batches import Batches
from tests.support.waiting import until


class Desk:
    """Answers with the double, and fails where it is asked for zero. It can be held up."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, questions: Sequence[int]) -> Sequence[int]:
        self.batches.append(list(questions))
        await self.open.wait()
        if 0 in questions:
            raise UnavailableError("the desk is closed")
        return [2 * each for each in questions]


async def test_many_who_ask_at_once_share_one_flush() -> None:
    desk = Desk()
    batches = Batches(desk)
    assert await asyncio.gather(*(batches.ask(each) for each in range(1, 50))) == list(
        range(2, 100, 2)
    )
    assert len(desk.batches) == 1


async def test_what_is_asked_during_a_flush_goes_together_into_the_next() -> None:
    desk = Desk()
    batches = Batches(desk)
    desk.open.clear()
    first = asyncio.ensure_future(batches.ask(1))
    await until(lambda: len(desk.batches) == 1)
    rest = [asyncio.ensure_future(batches.ask(each)) for each in (2, 3, 4)]
    await asyncio.sleep(0)
    desk.open.set()
    assert await asyncio.gather(first, *rest) == [2, 4, 6, 8]
    assert desk.batches == [[1], [2, 3, 4]]


async def test_a_batch_has_its_bound() -> None:
    desk = Desk()
    batches = Batches(desk, most=2)
    assert await asyncio.gather(*(batches.ask(each) for each in range(1, 6))) == [2, 4, 6, 8, 10]
    assert desk.batches == [[1, 2], [3, 4], [5]]


async def test_an_error_goes_to_those_who_asked_and_to_nobody_after() -> None:
    desk = Desk()
    batches = Batches(desk, most=2)
    answers = await asyncio.gather(
        *(batches.ask(each) for each in (0, 1, 2, 3)), return_exceptions=True
    )
    assert [type(each) for each in answers[:2]] == [UnavailableError, UnavailableError]
    assert answers[2:] == [4, 6]
    assert await batches.ask(5) == 10


async def test_whoever_no_longer_waits_does_not_disturb_the_others() -> None:
    desk = Desk()
    batches = Batches(desk)
    desk.open.clear()
    gone, stays = (asyncio.ensure_future(batches.ask(each)) for each in (1, 2))
    await until(lambda: len(desk.batches) == 1)
    gone.cancel()
    desk.open.set()
    assert await stays == 4
    with pytest.raises(asyncio.CancelledError):
        await gone
