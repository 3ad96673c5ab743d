"""Dependencies of a process: asked within a bound of time, and only what is to be mended has its name told."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest_asyncio

from coxswain.errors import UnavailableError
from coxswain.telemetry import metrics
from coxswain.web.kept import Kept
from coxswain.web.readiness import Dependency, Readiness, State
from tests.support.ticking import Ticking


async def good() -> None:
    return


async def bad() -> None:
    raise UnavailableError("it does not answer")


async def buggy() -> None:
    raise ZeroDivisionError


class Hanging:
    """A check that does not come back, even when it is told to."""

    def __init__(self) -> None:
        self.calls = 0
        self.let_go = asyncio.Event()

    async def check(self) -> None:
        self.calls += 1
        while not self.let_go.is_set():
            with suppress(asyncio.CancelledError):
                await self.let_go.wait()


@pytest_asyncio.fixture
async def hanging() -> AsyncIterator[Hanging]:
    made = Hanging()
    yield made
    made.let_go.set()


async def states(*dependencies: Dependency) -> dict[str, State]:
    return {each.name: each.state for each in await Readiness(dependencies).look()}


async def test_what_answers_is_ok_and_what_does_not_is_broken_with_its_words() -> None:
    readiness = Readiness([Dependency("one", good), Dependency("two", bad)])
    one, two = await readiness.look()
    assert (one.state, one.why) == (State.OK, "")
    assert (two.state, two.why) == (State.BROKEN, "it does not answer")


async def test_what_is_reached_through_something_broken_has_no_name_of_its_own() -> None:
    found = await states(
        Dependency("postgres", bad),
        Dependency("schema", bad, after="postgres"),
        Dependency("queue", bad, after="schema"),
        Dependency("kubernetes", good),
        Dependency("permissions", bad, after="kubernetes"),
    )
    assert [name for name, state in found.items() if state is State.BROKEN] == [
        "postgres",
        "permissions",
    ]
    assert found["schema"] is found["queue"] is State.UNKNOWN


async def test_what_answers_is_ok_whatever_it_is_reached_through() -> None:
    found = await states(
        Dependency("kubernetes", bad), Dependency("keys", good, after="kubernetes")
    )
    assert found["keys"] is State.OK


async def test_a_check_that_never_comes_back_holds_up_nobody(hanging: Hanging) -> None:
    readiness = Readiness(
        [Dependency("hung", hanging.check), Dependency("other", good)],
        check_seconds=0.05,
        kept_seconds=0,
    )
    began = time.monotonic()
    for _ in range(3):
        hung, other = await readiness.look()
        assert (hung.state, hung.why) == (State.BROKEN, "no answer in 0.05 s")
        assert other.state is State.OK
    assert time.monotonic() - began < 5
    assert hanging.calls == 1


async def test_a_check_that_comes_back_late_is_asked_anew(hanging: Hanging) -> None:
    readiness = Readiness([Dependency("hung", hanging.check)], check_seconds=0.05, kept_seconds=0)
    await readiness.look()
    hanging.let_go.set()
    await readiness.look()
    (again,) = await readiness.look()
    assert again.state is State.OK
    assert hanging.calls >= 2


async def test_a_bug_in_a_check_breaks_only_its_own_name() -> None:
    found = await states(Dependency("one", buggy), Dependency("two", good))
    assert found == {"one": State.BROKEN, "two": State.OK}


async def test_a_gauge_keeps_its_value_while_nothing_is_known() -> None:
    def value() -> float | None:
        return metrics.REGISTRY.get_sample_value("coxswain_dependency_up", {"dependency": "of"})

    await states(Dependency("root", good), Dependency("of", good, after="root"))
    assert value() == 1
    await states(Dependency("root", bad), Dependency("of", bad, after="root"))
    assert value() == 1
    await states(Dependency("root", good), Dependency("of", bad, after="root"))
    assert value() == 0


class Counting:
    """Answers with how often it was asked, once it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.may = asyncio.Event()

    async def __call__(self) -> int:
        self.asked += 1
        await self.may.wait()
        return self.asked


async def test_all_who_ask_together_and_for_a_while_after_get_one_answer() -> None:
    ask, clock = Counting(), Ticking()
    kept = Kept(ask, 1.0, clock)
    together = asyncio.gather(*(kept.get() for _ in range(5)))
    await asyncio.sleep(0)
    ask.may.set()
    assert await together == [1] * 5
    clock.now += 0.9
    assert await kept.get() == 1
    clock.now += 0.2
    assert await kept.get() == 2


async def test_who_goes_away_takes_the_answer_from_nobody() -> None:
    ask = Counting()
    kept = Kept(ask, 1.0)
    first = asyncio.create_task(kept.get())
    await asyncio.sleep(0)
    second = asyncio.create_task(kept.get())
    await asyncio.sleep(0)
    first.cancel()
    ask.may.set()
    assert await second == 1


async def test_an_error_is_told_to_all_and_not_for_ever() -> None:
    outcomes = iter([UnavailableError("away"), None])

    async def ask() -> str:
        error = next(outcomes)
        if error is not None:
            raise error
        return "here"

    clock = Ticking()
    kept = Kept(ask, 1.0, clock)
    with suppress(UnavailableError):
        await kept.get()
    clock.now += 2
    assert await kept.get() == "here"
