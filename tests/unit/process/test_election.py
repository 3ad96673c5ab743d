"""The election against a lease in memory, with a clock of our own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from typing_extensions import override

from coxswain.errors import ConflictError, CoxswainError, NotFoundError, UnavailableError
from coxswain.kube.client import Client
from coxswain.process.election import Election, LostError, Pace
from tests.support.waiting import until

Body = dict[str, Any]
PACE = Pace(duration_seconds=15, deadline_seconds=10, renew_seconds=0.01, look_seconds=0.001)


class Clock:
    def __init__(self) -> None:
        self.now = 500.0

    def __call__(self) -> float:
        return self.now


class Leases:
    """An API server with one lease, compared and swapped by its version."""

    def __init__(self) -> None:
        self.lease: Body | None = None
        self.looks = self.tries = 0
        self.writes = 0
        self.away = False
        self.loses_answers = False

    async def get(self, path: str) -> Body:
        self.looks += 1
        self._answer()
        if self.lease is None:
            raise NotFoundError(f"GET {path}: 404")
        return self.lease

    async def create(self, path: str, body: Body) -> Body:
        self._answer()
        if self.lease is not None:
            raise ConflictError(f"POST {path}: 409")
        return self._keep(body)

    async def replace(self, path: str, body: Body) -> Body:
        self._answer()
        if self.lease is None:
            raise NotFoundError(f"PUT {path}: 404")
        if body["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
            raise ConflictError(f"PUT {path}: 409")
        return self._keep(body)

    def held_by(self, holder: str, *, renewed: str = "one", epoch: int = 4) -> None:
        """Somebody else writes."""
        spec = {
            "holderIdentity": holder,
            "leaseDurationSeconds": 15,
            "renewTime": renewed,
            "leaseTransitions": epoch,
        }
        self._keep({"metadata": {"name": "lease"}, "spec": spec})

    @property
    def spec(self) -> Body:
        assert self.lease is not None
        found: Body = self.lease["spec"]
        return found

    def _answer(self) -> None:
        self.tries += 1
        if self.away:
            raise UnavailableError("the API server does not answer")

    def _keep(self, body: Body) -> Body:
        self.writes += 1
        metadata = {**body["metadata"], "resourceVersion": str(self.writes)}
        self.lease = {**body, "metadata": metadata}
        if self.loses_answers:
            raise UnavailableError("no answer came")
        return self.lease


def called(identity: str, leases: Leases, clock: Clock, *, former: str | None = None) -> Election:
    client = cast("Client", leases)
    place = {"namespace": "coxswain-system", "name": "lease"}
    return Election(client, **place, identity=identity, former=former, pace=PACE, clock=clock)


@pytest.fixture
def leases() -> Leases:
    return Leases()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def candidate(leases: Leases, clock: Clock) -> Election:
    return called("me", leases, clock)


async def looked(leases: Leases, times: int = 2) -> None:
    """The candidate has looked that often from now on."""
    wanted = leases.looks + times
    await until(lambda: leases.looks >= wanted)


@asynccontextmanager
async def acquiring(candidate: Election) -> AsyncIterator["asyncio.Task[int]"]:
    task = asyncio.ensure_future(candidate.acquire())
    try:
        yield task
    finally:
        task.cancel()


@asynccontextmanager
async def holding(
    candidate: Election, on_renewed: Callable[[float], None]
) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.ensure_future(candidate.hold(on_renewed))
    try:
        yield task
    finally:
        task.cancel()


async def ends(task: "asyncio.Task[Any]") -> Any:
    async with asyncio.timeout(5):
        return await task


async def test_a_lease_that_is_not_there_is_made(leases: Leases, candidate: Election) -> None:
    assert await candidate.acquire() == 1
    assert (leases.spec["holderIdentity"], leases.spec["leaseTransitions"]) == ("me", 1)
    assert leases.spec["leaseDurationSeconds"] == 15


@pytest.mark.parametrize("holder", ["", "me"])
async def test_a_free_lease_and_our_own_are_taken_at_once_with_the_next_epoch(
    leases: Leases, candidate: Election, holder: str
) -> None:
    leases.held_by(holder, epoch=7)
    assert await candidate.acquire() == 8
    assert leases.spec["leaseTransitions"] == 8


async def test_the_lease_of_a_process_that_is_dead_for_sure_is_taken_at_once_with_the_next_epoch(
    leases: Leases, clock: Clock
) -> None:
    leases.held_by("me before", epoch=7)
    assert await called("me", leases, clock, former="me before").acquire() == 8
    assert leases.spec["holderIdentity"] == "me"


async def test_another_holder_is_waited_out_by_our_own_clock(
    leases: Leases, candidate: Election, clock: Clock
) -> None:
    # Its own times say that it ended long ago; nobody believes them.
    leases.held_by("other", renewed="1999-01-01T00:00:00Z")
    async with acquiring(candidate) as task:
        await looked(leases)
        clock.now += 15
        await looked(leases)
        assert not task.done()
        clock.now += 0.1
        assert await ends(task) == 5
    assert leases.spec["holderIdentity"] == "me"
    assert candidate.renewed_at == clock.now


async def test_a_renewed_record_starts_the_wait_anew(
    leases: Leases, candidate: Election, clock: Clock
) -> None:
    leases.held_by("other")
    async with acquiring(candidate) as task:
        await looked(leases)
        clock.now += 14
        leases.held_by("other", renewed="two")
        await looked(leases)
        clock.now += 14
        await looked(leases)
        assert not task.done()
        clock.now += 1.1
        assert await ends(task) == 5


async def test_a_lease_that_is_let_go_is_taken_without_a_wait(
    leases: Leases, candidate: Election
) -> None:
    leases.held_by("other")
    async with acquiring(candidate) as task:
        await looked(leases)
        leases.held_by("")
        assert await ends(task) == 5


async def test_of_two_candidates_one_leads(leases: Leases, clock: Clock) -> None:
    leases.held_by("")
    both = [called(name, leases, clock) for name in ("one", "two")]
    async with acquiring(both[0]) as first, acquiring(both[1]) as second:
        await until(lambda: first.done() or second.done())
        await looked(leases)
        assert first.done() != second.done()


async def test_a_candidate_waits_for_an_api_server_that_is_away(
    leases: Leases, candidate: Election
) -> None:
    leases.away = True
    async with acquiring(candidate) as task:
        await looked(leases)
        leases.away = False
        assert await ends(task) == 1


async def test_a_renewal_counts_from_when_it_began(
    leases: Leases, candidate: Election, clock: Clock
) -> None:
    await candidate.acquire()
    renewed: list[float] = []
    async with holding(candidate, renewed.append):
        await until(lambda: bool(renewed))
        clock.now += 3
        await until(lambda: renewed[-1] == 503)
    assert renewed[0] == 500
    assert leases.spec["leaseTransitions"] == 1


async def test_a_leader_whose_write_is_stale_ends_when_another_holds_the_lease(
    leases: Leases, candidate: Election
) -> None:
    await candidate.acquire()
    async with holding(candidate, lambda _: None) as task:
        leases.held_by("other")
        with pytest.raises(LostError):
            await ends(task)
    assert leases.spec["holderIdentity"] == "other"


async def test_a_leader_whose_lease_was_deleted_ends(leases: Leases, candidate: Election) -> None:
    await candidate.acquire()
    async with holding(candidate, lambda _: None) as task:
        leases.lease = None
        with pytest.raises(LostError):
            await ends(task)


async def test_a_leader_goes_on_after_answers_that_were_lost(
    leases: Leases, candidate: Election, clock: Clock
) -> None:
    await candidate.acquire()
    renewed: list[float] = []
    async with holding(candidate, renewed.append) as task:
        await until(lambda: bool(renewed))
        leases.loses_answers = True
        before = leases.writes
        await until(lambda: leases.writes > before)
        clock.now += 2
        leases.loses_answers = False
        await until(lambda: renewed[-1] == 502)
        assert not task.done()
    assert (leases.spec["holderIdentity"], leases.spec["leaseTransitions"]) == ("me", 1)


async def test_a_renewal_that_fails_is_no_good_renewal(
    leases: Leases, candidate: Election, clock: Clock
) -> None:
    await candidate.acquire()
    renewed: list[float] = []
    async with holding(candidate, renewed.append) as task:
        leases.away = True
        await until(lambda: bool(renewed))
        clock.now += 5
        tries = leases.tries
        await until(lambda: leases.tries >= tries + 2)
        assert not task.done()
    assert 505 not in renewed


async def test_what_is_released_is_free_for_the_next(
    leases: Leases, candidate: Election, clock: Clock
) -> None:
    await candidate.acquire()
    await candidate.release()
    assert leases.spec["holderIdentity"] == ""
    assert await candidate.acquire() == 2


@pytest.mark.parametrize("error", [ConflictError, UnavailableError])
async def test_a_release_that_fails_is_no_harm(
    leases: Leases, candidate: Election, error: type[CoxswainError]
) -> None:
    await candidate.acquire()
    if error is ConflictError:
        leases.held_by("other")
    leases.away = error is UnavailableError
    await candidate.release()
    assert leases.spec["holderIdentity"] == ("other" if error is ConflictError else "me")


async def test_the_epoch_moves_past_one_that_the_database_knows(
    leases: Leases, candidate: Election, clock: Clock
) -> None:
    await candidate.acquire()
    assert await candidate.raise_epoch(41) == 42
    assert leases.spec["leaseTransitions"] == 42
    with pytest.raises(CoxswainError):
        await called("you", leases, clock).raise_epoch(50)


class SlowLeases(Leases):
    """Each renewal takes five seconds of our clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    @override
    async def replace(self, path: str, body: Body) -> Body:
        answer = await super().replace(path, body)
        self._clock.now += 5
        return answer


async def test_the_deadline_counts_from_the_beginning_of_a_renewal(clock: Clock) -> None:
    leases = SlowLeases(clock)
    candidate = called("me", leases, clock)
    await candidate.acquire()
    fed: list[float] = []
    async with holding(candidate, fed.append):
        await until(lambda: len(fed) >= 3)
    assert fed[:3] == [500.0, 500.0, 505.0]
