"""Ends of Jobs whose objects are gone."""

from datetime import UTC, datetime, timedelta

from coxswain.store import ended_jobs, mirror
from coxswain.store.pool import Store
from tests.support import rows


async def test_the_last_end_of_each_name_counts_and_only_since_then(operator_store: Store) -> None:
    now = datetime.now(UTC)
    old = rows.job("fetch", phase="Failed", created_at=now - timedelta(hours=2))
    new = rows.job("fetch", phase="Succeeded", created_at=now - timedelta(hours=1))
    lives = rows.job("lives", phase="Succeeded")
    elsewhere = rows.job("clean", phase="Succeeded", workspace="other")
    await operator_store.transact(mirror.write, [old, new, lives, elsewhere], [])
    gone = [old.uid, new.uid, elsewhere.uid]
    await operator_store.transact(mirror.mark_deleted, gone, [])
    wanted = ["fetch", "lives", "clean", "never"]
    found = await operator_store.run(ended_jobs.phases, "team", wanted, now - timedelta(seconds=5))
    assert found == {"fetch": "Succeeded"}
    later = now + timedelta(minutes=5)
    assert await operator_store.run(ended_jobs.phases, "team", wanted, later) == {}
