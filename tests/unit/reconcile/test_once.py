"""One question for all who want to know."""

import asyncio

import pytest

from coxswain.errors import UnavailableError
from coxswain.reconcile.once import Kept


class Asked:
    """Counts questions; the answer is settable."""

    def __init__(self) -> None:
        self.times = 0
        self.answer = "yes"
        self.now = 0.0
        self.fails = False

    async def __call__(self, name: str) -> str:
        self.times += 1
        await asyncio.sleep(0)
        if self.fails:
            raise UnavailableError("away")
        return f"{name}: {self.answer}"

    def clock(self) -> float:
        return self.now


async def test_many_at_once_ask_once() -> None:
    asked = Asked()
    kept: Kept[str] = Kept(asked, lambda _: 10.0, asked.clock)
    assert await asyncio.gather(*(kept.get("a") for _ in range(5))) == ["a: yes"] * 5
    assert asked.times == 1


async def test_an_answer_is_kept_as_long_as_it_may_be() -> None:
    asked = Asked()
    kept: Kept[str] = Kept(asked, lambda said: 60.0 if "yes" in said else 5.0, asked.clock)
    await kept.get("a")
    asked.now, asked.answer = 59.0, "no"
    assert await kept.get("a") == "a: yes"
    asked.now = 60.0
    assert await kept.get("a") == "a: no"
    asked.now, asked.answer = 65.0, "yes"
    assert await kept.get("a") == "a: yes"


async def test_what_was_forgotten_is_asked_again() -> None:
    asked = Asked()
    kept: Kept[str] = Kept(asked, lambda _: 60.0, asked.clock)
    await kept.get("a")
    kept.forget("a")
    await kept.get("a")
    assert asked.times == 2


async def test_an_error_is_not_kept() -> None:
    asked = Asked()
    kept: Kept[str] = Kept(asked, lambda _: 60.0, asked.clock)
    asked.fails = True
    with pytest.raises(UnavailableError):
        await kept.get("a")
    asked.fails = False
    assert await kept.get("a") == "a: yes"
