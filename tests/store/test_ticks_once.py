"""Every tick has exactly one outcome, whatever happens: by single writes, and in a walk by chance over a real Postgres.

``hack/bench ticks`` walks 100,000 ticks with 1,000 restarts.
"""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from coxswain.api.ticks import Tick
from coxswain.store import ticks
from coxswain.store.pool import Store
from tests.support.tick_walk import Walk

SEED = 20261129
AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
JOB = str(uuid4())
BUFFERED = Tick("t", "Time", AT, AT, AT)
SKIPPED = BUFFERED.settled("Skipped", "Overlap", AT)
MISSED = BUFFERED.settled("Missed", "Deleted", AT)
FIRED = replace(BUFFERED, job_name="t", job_uid=JOB).settled("Fired", "", AT)
SUCCEEDED = replace(FIRED, job_phase="Succeeded")
FAILED = replace(FIRED, job_phase="Failed")


async def written(store: Store, *of_one: Tick) -> Tick:
    """What stands of a tick after these writes of it, one after the other."""
    uid = str(uuid4())
    for each in of_one:
        await store.transact(ticks.keep_ticks, [(uid, each)])
    (stands,) = await store.run(ticks.page, uid, None, limit=2)
    return stands


@pytest.mark.parametrize("stands", [SKIPPED, MISSED, FIRED, SUCCEEDED])
@pytest.mark.parametrize("late", [BUFFERED, SKIPPED, MISSED])
async def test_an_outcome_that_stands_is_changed_by_no_late_write(
    operator_store: Store, stands: Tick, late: Tick
) -> None:
    assert await written(operator_store, BUFFERED, stands, late) == stands


@pytest.mark.parametrize("stands", [SKIPPED, MISSED])
async def test_a_tick_that_made_no_job_fires_no_more(operator_store: Store, stands: Tick) -> None:
    assert await written(operator_store, stands, FIRED) == stands


async def test_of_a_tick_that_fired_the_first_end_of_its_job_is_kept(operator_store: Store) -> None:
    assert await written(operator_store, FIRED, SUCCEEDED, FAILED, FIRED) == SUCCEEDED


async def test_every_tick_has_exactly_one_outcome(operator_store: Store) -> None:
    history = await Walk(operator_store, SEED).run(ticks=1500, restarts=30)
    assert (history.without, history.twice, history.strays) == (0, 0, 0), history
    assert history.untold == 0, history
    assert history.ticks >= 1500
    assert history.restarts >= 30
    assert min(history.outcomes.get(each, 0) for each in ("Fired", "Skipped", "Missed")) > 20
