"""No pod is made for a row that is taken or closed: the step before it, over a real Postgres, says so."""

from typing import Any, cast

import pytest

from coxswain.api.records import NewRun
from coxswain.reconcile import actions
from coxswain.reconcile.act import Actor, StaleError
from coxswain.reconcile.cache import Cache
from coxswain.reconcile.fence import Fence
from coxswain.reconcile.records import Records
from coxswain.store import claims
from coxswain.store.pool import Store
from coxswain.store.runs import Closing
from tests.support.rows import new_run, pod


@pytest.fixture
async def records(operator_store: Store) -> Records:
    fence = Fence(operator_store, "one")
    fence.begin(1)
    assert await fence.take() == 0
    return Records(fence, key_seconds=60)


async def opens(records: Records, new: NewRun) -> None:
    """The action that comes before the pod of an attempt; neither cluster nor ticks have a part in it."""
    nobody = cast("Any", None)
    actor = Actor(nobody, Cache(), records, nobody, nobody)
    await actor.carry_out(
        actions.OpenRun(new.document, new.pod_name, new.service_account, new.last_token)
    )


async def test_a_row_that_nobody_has_taken_may_get_its_pod_however_often_it_is_opened(
    records: Records,
) -> None:
    new = new_run()
    for _ in range(2):
        await opens(records, new)
    row = await records.run_state(new.key)
    assert row is not None
    assert (row.token, row.pod_uid, row.closed_at) == (1, None, None)


async def test_a_row_that_a_pod_has_claimed_gets_no_other(
    records: Records, sidecar_store: Store
) -> None:
    new = new_run()
    await opens(records, new)
    await sidecar_store.transact(claims.claim, new.key, pod(name=new.pod_name))
    with pytest.raises(StaleError):
        await opens(records, new)


async def test_a_row_that_is_closed_gets_no_pod(records: Records) -> None:
    new = new_run()
    await opens(records, new)
    assert await records.close_run(Closing(new.key, "Cancelled", knows_result=False))
    with pytest.raises(StaleError):
        await opens(records, new)
