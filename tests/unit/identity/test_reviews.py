"""What the API server is asked about people, and how often, while many come at once."""

import asyncio
from typing import Any

import pytest

from coxswain.errors import TransientError, UnauthenticatedError, UnavailableError
from coxswain.identity.reviews import (
    RIGHTS_AT_ONCE,
    TOKENS_AT_ONCE,
    TOKENS_WAITING,
    Reviews,
)
from coxswain.kube import paths
from coxswain.rules.permissions import TABLE
from tests.support import waiting
from tests.support.ticking import Ticking

LIST = TABLE["GET /v1/jobs"]


class Judge:
    """An API server that answers when it is let; whose token begins with "good" is known."""

    def __init__(self, *, allowed: frozenset[str] = frozenset(), is_open: bool = True) -> None:
        self.asked: list[str] = []
        self.most = self._now = 0
        self.open = asyncio.Event()
        self.failure: Exception | None = None
        self._allowed = allowed
        if is_open:
            self.open.set()

    async def create(
        self, path: str, body: dict[str, Any], params: dict[str, str] | None = None
    ) -> dict[str, Any]:
        self.asked.append(path)
        self._now += 1
        self.most = max(self.most, self._now)
        await self.open.wait()
        self._now -= 1
        if self.failure is not None:
            raise self.failure
        spec = body["spec"]
        if path == paths.TOKEN_REVIEWS:
            known = spec["token"].startswith("good")
            return {"status": {"authenticated": known, "user": {"username": "ada"}}}
        where = spec["resourceAttributes"]["namespace"]
        return {"status": {"allowed": where in self._allowed}}


def reviews(judge: Judge, *onboarded: str) -> Reviews:
    return Reviews(judge, onboarded, installation="test", audience="", clock=Ticking())


async def until_asked(judge: Judge, count: int) -> None:
    await waiting.until(lambda: len(judge.asked) >= count)


async def test_lists_over_all_go_through_what_was_onboarded_though_nothing_lives_there_yet() -> (
    None
):
    judge = reviews(Judge(allowed=frozenset({"demo", "elsewhere"})), "demo", "other")
    user = await judge.find("good")
    assert user is not None
    assert await user.rights.workspaces_for(LIST) == frozenset({"demo"})


async def test_a_token_that_many_bring_at_once_is_looked_at_once() -> None:
    judge = Judge(is_open=False)
    ways = reviews(judge)
    crowd = [asyncio.create_task(ways.find("good")) for _ in range(10)]
    await until_asked(judge, 1)
    # The one whose question it was leaves; the others have their answer all the same.
    crowd[0].cancel()
    judge.open.set()
    found = await asyncio.gather(*crowd, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert [str(each) for each in found[1:]] == ["user:ada"] * 9
    assert judge.asked == [paths.TOKEN_REVIEWS]


async def test_a_failure_is_told_to_all_who_wait_and_to_nobody_after_them() -> None:
    judge = Judge(is_open=False)
    judge.failure = UnavailableError("away")
    ways = reviews(judge)
    crowd = [asyncio.create_task(ways.find("good")) for _ in range(3)]
    await until_asked(judge, 1)
    judge.open.set()
    found = await asyncio.gather(*crowd, return_exceptions=True)
    assert [type(each) for each in found] == [UnavailableError] * 3
    judge.failure = None
    assert str(await ways.find("good")) == "user:ada"
    assert len(judge.asked) == 2


async def test_of_tokens_that_were_never_seen_few_are_looked_at_at_once_and_some_wait() -> None:
    judge = Judge(is_open=False)
    ways = reviews(judge)
    count = TOKENS_AT_ONCE + TOKENS_WAITING
    crowd = [asyncio.create_task(ways.find(f"wrong-{number}")) for number in range(count)]
    await until_asked(judge, TOKENS_AT_ONCE)
    with pytest.raises(TransientError) as refused:
        await ways.find("good")
    assert refused.value.code == "too_many_reviews"
    judge.open.set()
    found = await asyncio.gather(*crowd, return_exceptions=True)
    assert [type(each) for each in found] == [UnauthenticatedError] * count
    assert judge.most == TOKENS_AT_ONCE
    assert str(await ways.find("good")) == "user:ada"


async def test_a_list_over_very_many_workspaces_asks_a_few_at_once() -> None:
    judge = Judge(allowed=frozenset({"w7"}), is_open=False)
    ways = reviews(judge, *(f"w{number}" for number in range(1000)))
    judge.open.set()
    user = await ways.find("good")
    assert user is not None
    judge.open.clear()
    asking = asyncio.create_task(ways.within({"username": "ada"}, LIST))
    await until_asked(judge, 1 + RIGHTS_AT_ONCE)
    judge.open.set()
    assert await asking == frozenset({"w7"})
    assert judge.most == RIGHTS_AT_ONCE
