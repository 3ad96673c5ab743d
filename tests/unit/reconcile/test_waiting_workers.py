"""Workers that wait for a key: each key wakes one, and none is lost with a worker."""

import asyncio
from random import Random

import pytest

from coxswain.reconcile.key import Key
from coxswain.reconcile.workqueue import WorkQueue


@pytest.fixture
def queue() -> WorkQueue:
    return WorkQueue(lambda: 1000.0, Random(1))  # noqa: S311 - jitter


def _key(name: str) -> Key:
    return Key("Job", "team", name, f"uid-{name}")


async def test_one_key_wakes_one_worker(queue: WorkQueue) -> None:
    workers = [asyncio.create_task(queue.take()) for _ in range(4)]
    await asyncio.sleep(0)
    queue.add(_key("a"))
    queue.add(_key("b"))
    for _ in range(3):
        await asyncio.sleep(0)
    done = [each for each in workers if each.done()]
    assert sorted(each.result().name for each in done) == ["a", "b"]
    for each in workers:
        each.cancel()


async def test_a_worker_that_was_cancelled_while_it_waited_loses_no_key(queue: WorkQueue) -> None:
    gone = asyncio.create_task(queue.take())
    stays = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    queue.add(_key("a"))
    async with asyncio.timeout(5):
        assert await stays == _key("a")


async def test_an_earlier_time_that_comes_later_is_kept() -> None:
    loop = asyncio.get_running_loop()
    queue = WorkQueue(loop.time, Random(1))  # noqa: S311 - jitter
    queue.add_at(_key("late"), loop.time() + 60)
    waiting = asyncio.create_task(queue.take())
    await asyncio.sleep(0)
    queue.add_at(_key("soon"), loop.time() + 0.02)
    async with asyncio.timeout(5):
        assert await waiting == _key("soon")
