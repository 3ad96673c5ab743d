"""Every tick has exactly one outcome, whatever happens: a walk by chance over a real Postgres.

``hack/bench ticks`` walks 100,000 ticks with 1,000 restarts.
"""

from coxswain.store.pool import Store
from tests.support.tick_walk import Walk

SEED = 20261129


async def test_every_tick_has_exactly_one_outcome(operator_store: Store) -> None:
    history = await Walk(operator_store, SEED).run(ticks=1500, restarts=30)
    assert (history.without, history.twice, history.strays) == (0, 0, 0), history
    assert history.untold == 0, history
    assert history.ticks >= 1500
    assert history.restarts >= 30
    assert min(history.outcomes.get(each, 0) for each in ("Fired", "Skipped", "Missed")) > 20
