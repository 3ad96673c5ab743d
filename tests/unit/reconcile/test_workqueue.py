"""The work queue: each key once, one worker per key, fair lines, and waits that grow and end."""

import asyncio
from collections import Counter
from random import Random

import pytest
from typing_extensions import override

from coxswain.reconcile.key import Key
from coxswain.reconcile.workqueue import LONGEST_DELAY_SECONDS, WorkQueue


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Fixed(Random):
    """Chance that always falls on the same side."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    @override
    def uniform(self, a: float, b: float) -> float:
        return a + self.share * (b - a)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(clock: Clock) -> WorkQueue:
    return WorkQueue(clock, Fixed(1.0))


def key(name: str, namespace: str = "team") -> Key:
    return Key("Job", namespace, name, f"uid-of-{name}")


async def taken(queue: WorkQueue) -> Key | None:
    """What a worker gets at once, if anything."""
    task = asyncio.ensure_future(queue.take())
    for _ in range(3):
        await asyncio.sleep(0)
    if task.done():
        return task.result()
    task.cancel()
    return None


async def test_many_calls_before_a_pass_make_one_pass(queue: WorkQueue) -> None:
    for _ in range(5):
        queue.add(key("a"))
    assert len(queue) == 1
    assert await taken(queue) == key("a")
    queue.done(key("a"))
    assert await taken(queue) is None


async def test_a_key_has_one_worker_and_comes_again_if_it_was_added_meanwhile(
    queue: WorkQueue,
) -> None:
    queue.add(key("a"))
    assert await taken(queue) == key("a")
    queue.add(key("a"))
    queue.add(key("a"))
    assert await taken(queue) is None
    queue.done(key("a"))
    assert await taken(queue) == key("a")
    queue.done(key("a"))
    assert await taken(queue) is None


async def test_a_time_that_comes_while_a_key_is_worked_on_makes_no_second_worker(
    queue: WorkQueue, clock: Clock
) -> None:
    queue.add(key("a"))
    assert await taken(queue) == key("a")
    queue.add_at(key("a"), clock.now + 1)
    clock.now += 2
    assert await taken(queue) is None
    queue.done(key("a"))
    assert await taken(queue) == key("a")


async def test_a_crowded_namespace_does_not_hold_up_the_others(queue: WorkQueue) -> None:
    for number in range(50):
        queue.add(key(f"a{number}", "crowded"))
    queue.add(key("b", "quiet"))
    queue.add(key("c", "calm"))
    served = Counter([(await queue.take()).namespace for _ in range(3)])
    assert served == {"crowded": 1, "quiet": 1, "calm": 1}


async def test_a_namespace_is_served_in_the_order_of_asking(queue: WorkQueue) -> None:
    for name in "cab":
        queue.add(key(name))
    assert [(await queue.take()).name for _ in range(3)] == ["c", "a", "b"]


async def test_every_added_key_is_taken_once_by_workers_that_wait(queue: WorkQueue) -> None:
    wanted = {key(str(number), f"n{number % 3}") for number in range(30)}
    workers = [asyncio.ensure_future(queue.take()) for _ in wanted]
    await asyncio.sleep(0)
    for each in wanted:
        queue.add(each)
    async with asyncio.timeout(5):
        assert set(await asyncio.gather(*workers)) == wanted


def test_the_wait_doubles_and_is_bounded(queue: WorkQueue) -> None:
    waits = [queue.retry(key("a")) for _ in range(40)]
    assert waits[:4] == [0.2, 0.4, 0.8, 1.6]
    assert set(waits[10:]) == {LONGEST_DELAY_SECONDS}
    assert queue.failures(key("a")) == 40
    assert queue.retry(key("b")) == 0.2


def test_the_wait_is_jittered_down_to_its_half(clock: Clock) -> None:
    assert WorkQueue(clock, Fixed(0.0)).retry(key("a")) == 0.1
    queue = WorkQueue(clock, Random(1))  # noqa: S311 - jitter
    waits = {queue.retry(key(str(number))) for number in range(20)}
    assert len(waits) == 20
    assert all(0.1 <= wait <= 0.2 for wait in waits)


def test_what_the_other_side_asked_for_holds_where_it_is_longer(queue: WorkQueue) -> None:
    assert queue.retry(key("a"), 7.5) == 7.5
    assert queue.retry(key("a"), 0.01) == 0.4


def test_nobody_outside_makes_it_wait_longer_than_the_longest_back_off(queue: WorkQueue) -> None:
    assert queue.retry(key("a"), 86400.0) == LONGEST_DELAY_SECONDS


async def test_a_failure_is_forgotten_after_a_good_pass(queue: WorkQueue, clock: Clock) -> None:
    for _ in range(6):
        queue.retry(key("a"))
    queue.settle(key("a"), None)
    clock.now += LONGEST_DELAY_SECONDS
    assert await taken(queue) is None
    assert queue.failures(key("a")) == 0
    assert queue.retry(key("a")) == 0.2


@pytest.mark.parametrize("times", [(5, 9), (9, 5), (9, 5, 7)])
async def test_the_earliest_of_all_times_asked_for_holds(
    queue: WorkQueue, clock: Clock, times: tuple[float, ...]
) -> None:
    start = clock.now
    for each in times:
        queue.add_at(key("a"), start + each)
    clock.now = start + 4.9
    assert await taken(queue) is None
    clock.now = start + 5
    assert await taken(queue) == key("a")
    queue.done(key("a"))
    clock.now = start + 100
    assert await taken(queue) is None


async def test_a_waiting_worker_wakes_by_itself_when_a_time_has_come() -> None:
    loop = asyncio.get_running_loop()
    queue = WorkQueue(loop.time, Fixed(0.0))
    async with asyncio.timeout(5):
        worker = asyncio.ensure_future(queue.take())
        await asyncio.sleep(0)
        queue.add_at(key("a"), loop.time() + 60)
        queue.add_at(key("b"), loop.time() + 0.01)
        assert await worker == key("b")


def test_the_age_is_that_of_the_oldest_ready_key(queue: WorkQueue, clock: Clock) -> None:
    assert queue.age_seconds() == 0
    queue.add(key("a", "one"))
    clock.now += 2
    queue.add(key("b", "two"))
    clock.now += 1
    assert queue.age_seconds() == 3


async def test_a_closed_queue_gives_out_nothing_and_waits_for_what_it_gave_out(
    queue: WorkQueue,
) -> None:
    queue.add(key("a"))
    assert await taken(queue) == key("a")
    closing = asyncio.ensure_future(queue.close())
    await asyncio.sleep(0)
    queue.add(key("b"))
    assert await taken(queue) is None
    assert not closing.done()
    queue.done(key("a"))
    async with asyncio.timeout(5):
        await closing


async def test_a_key_that_is_dropped_has_no_pass_and_others_of_its_namespace_have(
    queue: WorkQueue,
) -> None:
    for name in ("first", "second", "third"):
        queue.add(key(name))
    queue.drop(key("second"))
    assert [await taken(queue) for _ in range(3)] == [key("first"), key("third"), None]


async def test_a_key_that_is_dropped_comes_again_when_it_is_added_and_at_its_time(
    queue: WorkQueue, clock: Clock
) -> None:
    queue.drop(key("unknown"))
    queue.add(key("a"))
    queue.add_at(key("a"), clock.now + 5)
    queue.drop(key("a"))
    assert await taken(queue) is None
    clock.now += 5
    assert await taken(queue) == key("a")
