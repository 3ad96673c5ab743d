"""The leases of a run: all or nothing with its start, renewed by its heartbeat, let go with its end."""

import asyncio
from uuid import uuid4

import pytest

from coxswain.api.records import LeaseHolder, NewRun, Run
from coxswain.errors import ConflictError
from coxswain.store import claims, mirror, runs
from coxswain.store.claims import Pod
from coxswain.store.leases import of_runs
from coxswain.store.pool import Store
from coxswain.store.runs import Closing
from tests.store.leases.test_lines import woken
from tests.support.leases import ANN, BOB, Leases
from tests.support.rows import new_run, pod


async def opened(operator: Store, *wanted: NewRun) -> list[Run | ConflictError]:
    return await operator.transact(runs.open_runs, wanted)


async def started(operator: Store, new: NewRun) -> Run:
    (run,) = await opened(operator, new)
    assert isinstance(run, Run)
    return run


async def claimed(operator: Store, sidecar: Store, new: NewRun) -> Pod:
    await started(operator, new)
    owner = pod(name=new.pod_name)
    await sidecar.transact(claims.claim, new.key, owner)
    return owner


def holder(new: NewRun) -> LeaseHolder:
    return LeaseHolder.of_run(new.key, new.job_name)


async def test_a_run_is_given_all_its_leases_with_its_start(
    leases: Leases, operator_store: Store
) -> None:
    await leases.has("b")
    await leases.has("a")
    new = new_run(leases=["b", "a"])
    run = await started(operator_store, new)
    assert run.leases == {"a": 1, "b": 1}
    for name in ("a", "b"):
        assert (await leases.row(name)).holder == holder(new)
    assert (await leases.row("a")).expires_at is None


async def test_one_that_is_held_by_another_leaves_all_as_they_are(
    leases: Leases, operator_store: Store
) -> None:
    await leases.has("a")
    await leases.has("b")
    await leases.takes(ANN, "b")
    new = new_run(leases=["a", "b"])
    (refused,) = await opened(operator_store, new)
    assert isinstance(refused, ConflictError)
    assert "held by user:ann" in refused.message
    assert await operator_store.run(runs.of, new.key) is None
    assert (await leases.row("a")).state == "Free"


async def test_of_two_runs_of_one_batch_the_first_gets_both_and_other_runs_are_not_held_up(
    leases: Leases, operator_store: Store
) -> None:
    await leases.has("a")
    await leases.has("b")
    first, second = new_run(leases=["a", "b"]), new_run(leases=["b", "a"], job_name="second")
    other = new_run(job_name="third")
    answers = await opened(operator_store, first, second, other)
    assert [isinstance(each, Run) for each in answers] == [True, False, True]
    assert (await leases.row("a")).holder == (await leases.row("b")).holder == holder(first)


async def test_runs_that_want_the_same_two_in_any_order_never_wait_for_each_other(
    leases: Leases, operator_store: Store
) -> None:
    await leases.has("a")
    await leases.has("b")
    new = [
        new_run(leases=names, job_name=f"job-{number}")
        for number, names in enumerate([["a", "b"], ["b", "a"]] * 6)
    ]
    async with asyncio.timeout(20):
        answers = await asyncio.gather(*(opened(operator_store, each) for each in new))
    assert sum(isinstance(each[0], Run) for each in answers) == 1
    assert (await leases.row("a")).holder == (await leases.row("b")).holder


async def test_the_same_start_again_keeps_the_tokens(leases: Leases, operator_store: Store) -> None:
    await leases.has("a")
    new = new_run(leases=["a"])
    first = await started(operator_store, new)
    again = await started(operator_store, new)
    assert first.leases == again.leases == {"a": 1}
    assert await leases.told("a") == [("lease.acquired", 1)]


async def test_a_start_that_was_not_claimed_takes_what_it_has_lost_anew(
    leases: Leases, operator_store: Store, sidecar_store: Store
) -> None:
    await leases.has("a", steal_after_seconds=1)
    new = new_run(leases=["a"])
    await started(operator_store, new)
    await leases.passes(2, "a")
    theirs = await leases.takes(BOB, "a", steal=True)
    (refused,) = await opened(operator_store, new)
    assert isinstance(refused, ConflictError)
    await leases.lets_go(BOB, theirs.token, "a")
    assert (await started(operator_store, new)).leases == {"a": 3}


async def test_a_start_that_nobody_claimed_gives_its_leases_back_and_takes_them_anew(
    leases: Leases, operator_store: Store
) -> None:
    await leases.has("a")
    new = new_run(leases=["a"])
    await started(operator_store, new)
    await leases.asks(ANN, "a", wait=10)
    for _ in range(2):
        await operator_store.transact(of_runs.give_back, new.key)
    assert (await leases.row("a")).state == "Free"
    assert await leases.told("a") == [("lease.acquired", 1), ("lease.released", 1)]
    theirs = await leases.takes(ANN, "a")
    await leases.lets_go(ANN, theirs.token, "a")
    assert (await started(operator_store, new)).leases == {"a": 3}


async def test_a_pod_that_comes_late_holds_nothing_that_was_given_back(
    leases: Leases, operator_store: Store, sidecar_store: Store
) -> None:
    await leases.has("a")
    new, owner = new_run(leases=["a"]), pod()
    await started(operator_store, new)
    await operator_store.transact(of_runs.give_back, new.key)
    await leases.takes(ANN, "a")
    await sidecar_store.transact(claims.claim, new.key, owner)
    with pytest.raises(ConflictError, match="at token 2 by now, held by user:ann"):
        await sidecar_store.transact(claims.held, owner.uid)
    assert await sidecar_store.transact(claims.heartbeat, owner.uid)
    assert (await leases.row("a")).holder == ANN


async def test_a_start_that_was_claimed_meanwhile_gives_nothing_back(
    leases: Leases, operator_store: Store, sidecar_store: Store
) -> None:
    await leases.has("a")
    new = new_run(leases=["a"])
    await claimed(operator_store, sidecar_store, new)
    await operator_store.transact(of_runs.give_back, new.key)
    assert (await leases.row("a")).holder == holder(new)


async def test_a_run_that_is_closed_is_given_nothing(leases: Leases, operator_store: Store) -> None:
    await leases.has("a")
    new = new_run(leases=["a"])
    await started(operator_store, new)
    await operator_store.transact(runs.close_run, new.key, "Failed/X", knows_result=False)
    await opened(operator_store, new)
    assert (await leases.row("a")).state == "Free"


async def test_a_lease_of_an_unclaimed_run_does_not_end_and_a_heartbeat_renews_a_claimed_one(
    leases: Leases, operator_store: Store, sidecar_store: Store
) -> None:
    await leases.has("a")
    new = new_run(leases=["a"])
    owner = await claimed(operator_store, sidecar_store, new)
    await leases.passes(25, "a")
    assert not await sidecar_store.transact(claims.heartbeat, owner.uid)
    await leases.passes(25, "a")
    assert await leases.lapse() == 0
    assert (await leases.row("a")).state == "Held"


async def test_a_heartbeat_that_comes_too_late_is_told_to_end(
    leases: Leases, operator_store: Store, sidecar_store: Store
) -> None:
    await leases.has("a")
    owner = await claimed(operator_store, sidecar_store, new_run(leases=["a"]))
    await leases.passes(31, "a")
    assert await sidecar_store.transact(claims.heartbeat, owner.uid)


async def test_a_run_that_is_heard_again_before_its_lease_was_handed_on_holds_it_again(
    leases: Leases, operator_store: Store, sidecar_store: Store
) -> None:
    await leases.has("a")
    owner = await claimed(operator_store, sidecar_store, new_run(leases=["a"]))
    await leases.passes(31, "a")
    await leases.lapse()
    assert not await sidecar_store.transact(claims.heartbeat, owner.uid)
    row = await leases.row("a")
    assert (row.state, row.token, row.reason) == ("Held", 1, "")
    assert (await leases.told("a"))[-1] == ("lease.recovered", 1)


async def test_one_that_is_ending_holds_nothing_again(
    leases: Leases, operator_store: Store, sidecar_store: Store
) -> None:
    await leases.has("a")
    new = new_run(leases=["a"])
    owner = await claimed(operator_store, sidecar_store, new)
    closing = Closing(new.key, "Lost/WorkerLost", knows_result=False, is_gone=False)
    await operator_store.transact(runs.close_runs, [closing])
    with pytest.raises(ConflictError):
        await sidecar_store.transact(claims.heartbeat, owner.uid)
    assert (await leases.row("a")).state == "Quarantined"


async def test_a_silent_runs_lease_is_quarantined_and_its_job_is_woken(
    leases: Leases, operator_store: Store, sidecar_store: Store
) -> None:
    await leases.has("a")
    new = new_run(leases=["a"])
    await claimed(operator_store, sidecar_store, new)
    await leases.passes(31, "a")
    with pytest.raises(ConflictError, match="held by job:first/1"):
        await leases.takes(ANN, "a")
    await woken(operator_store)
    assert await leases.lapse() == 1
    row = await leases.row("a")
    assert (row.state, row.reason, row.holder) == ("Quarantined", "HolderSilent", holder(new))
    assert await woken(operator_store) == {("Lease", "a"), ("Job", "first")}
    with pytest.raises(ConflictError, match="whether job:first/1 still acts"):
        await leases.takes(ANN, "a")


@pytest.mark.parametrize(
    ("reason", "is_gone", "state", "told"),
    [
        ("Succeeded/Completed", True, "Free", "lease.released"),
        ("Failed/ExitCode", True, "Free", "lease.released"),
        ("Lost/PodLost", True, "Free", "lease.reclaimed"),
        ("Lost/WorkerLost", False, "Quarantined", "lease.quarantined"),
    ],
)
async def test_the_end_of_a_run_lets_go(
    leases: Leases, reason: str, is_gone: bool, state: str, told: str
) -> None:
    await leases.has("a")
    new = new_run(leases=["a"])
    await claimed(leases.operator, leases.sidecar, new)
    closing = Closing(new.key, reason, knows_result=False, is_gone=is_gone)
    assert await leases.operator.transact(runs.close_runs, [closing]) == [True]
    assert (await leases.row("a")).state == state
    assert (await leases.told("a"))[-1] == (told, 1)


async def test_what_nobody_claimed_is_free_even_if_its_pod_is_still_there(
    leases: Leases, operator_store: Store
) -> None:
    await leases.has("a")
    new = new_run(leases=["a"])
    await started(operator_store, new)
    closing = Closing(new.key, "Failed/StartTimeout", knows_result=False, is_gone=False)
    await operator_store.transact(runs.close_runs, [closing])
    assert (await leases.row("a")).state == "Free"


async def test_a_silent_runs_lease_is_reclaimed_once_its_pod_has_ended(
    leases: Leases, operator_store: Store, sidecar_store: Store
) -> None:
    await leases.has("a")
    new = new_run(leases=["a"])
    await claimed(operator_store, sidecar_store, new)
    await leases.passes(31, "a")
    await leases.lapse()
    await operator_store.transact(runs.close_run, new.key, "Failed/ExitCode", knows_result=False)
    assert (await leases.row("a")).state == "Expired"
    assert (await leases.told("a"))[-1] == ("lease.reclaimed", 1)


async def test_the_leases_of_a_deleted_job_wait_until_its_pod_is_gone(
    leases: Leases, operator_store: Store, sidecar_store: Store
) -> None:
    await leases.has("a")
    new = new_run(leases=["a"])
    await claimed(operator_store, sidecar_store, new)
    await operator_store.transact(mirror.mark_deleted, [new.key.job_uid], [])
    row = await leases.row("a")
    assert (row.state, row.reason) == ("Quarantined", "HolderEnding")


async def test_a_run_does_not_let_go_of_what_it_was_started_with(
    leases: Leases, operator_store: Store, sidecar_store: Store
) -> None:
    await leases.has("a")
    new = new_run(leases=["a"])
    await claimed(operator_store, sidecar_store, new)
    with pytest.raises(ConflictError, match=r"spec\.leases") as refused:
        await leases.lets_go(holder(new), 1, "a")
    assert refused.value.code == "lease_of_run"


async def test_what_a_run_took_by_itself_goes_with_it_too(
    leases: Leases, operator_store: Store, sidecar_store: Store
) -> None:
    await leases.has("a")
    new = new_run(str(uuid4()))
    await claimed(operator_store, sidecar_store, new)
    await leases.takes(holder(new), "a")
    await operator_store.transact(runs.close_run, new.key, "Failed/ExitCode", knows_result=False)
    assert (await leases.row("a")).state == "Free"
