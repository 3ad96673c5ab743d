"""What Prometheus is told of leases and Schedules, over a real Postgres."""

import asyncio
from datetime import timedelta

from coxswain.api.triggers import NewTrigger
from coxswain.process import counts
from coxswain.reconcile.reach import Reach
from coxswain.store import triggers
from coxswain.store.pool import Store
from coxswain.telemetry import metrics
from tests.support import builders
from tests.support.leases import ANN, BOB, Leases
from tests.support.schedule_world import ScheduleWorld
from tests.support.waiting import until


def measured(name: str, **labels: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(name, labels)


def by_label(name: str, label: str) -> dict[str, float]:
    return {
        sample.labels[label]: sample.value
        for family in metrics.REGISTRY.collect()
        for sample in family.samples
        if sample.name == name
    }


async def shown(store: Store, world: ScheduleWorld) -> None:
    """Let the gauges be set once."""
    metrics.LEASE_WAITERS.set(-1)
    task = asyncio.create_task(counts.run(store, world.cache, Reach()))
    await until(lambda: measured("coxswain_lease_waiters") != -1)
    await asyncio.sleep(0)
    task.cancel()


async def test_leases_are_counted_by_state_and_who_waits_for_them(
    world: ScheduleWorld, operator_store: Store, sidecar_store: Store
) -> None:
    leases = Leases(operator_store, sidecar_store)
    for name in ("free", "held", "over"):
        await leases.has(name)
    await leases.takes(ANN, "held")
    await leases.takes(ANN, "over")
    await leases.passes(61, "over")
    await leases.lapse()
    await leases.asks(BOB, "held", wait=30)
    await shown(operator_store, world)
    assert by_label("coxswain_leases", "state") == {
        "Free": 1,
        "Held": 1,
        "Expired": 1,
        "Quarantined": 0,
    }
    assert measured("coxswain_lease_waiters") == 1


async def test_every_change_of_a_lease_is_counted_and_how_late_an_end_was_noted(
    operator_store: Store, sidecar_store: Store
) -> None:
    leases = Leases(operator_store, sidecar_store)
    await leases.has()
    before = by_label("coxswain_lease_changes_total", "change")
    count, late = (
        measured(f"coxswain_lease_reclaim_seconds_{each}") or 0.0 for each in ("count", "sum")
    )
    held = await leases.takes(ANN)
    await leases.lets_go(ANN, held.token)
    await leases.takes(BOB)
    await leases.passes(35)
    await leases.lapse()
    after = by_label("coxswain_lease_changes_total", "change")
    risen = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert risen == {"acquired": 2, "released": 1, "reclaimed": 1}
    assert (measured("coxswain_lease_reclaim_seconds_count") or 0.0) - count == 1
    assert 5 <= (measured("coxswain_lease_reclaim_seconds_sum") or 0.0) - late < 30


async def test_schedules_are_counted_by_phase_and_their_ticks_by_where_they_are(
    world: ScheduleWorld, operator_store: Store, gateway_store: Store
) -> None:
    key = world.has(builders.schedule().every(60).with_spec(overlap="BufferAll"))
    other = world.has(builders.schedule("other").every(60).with_spec(suspend=True))
    await world.minutes(3)
    new = NewTrigger(other.uid, other.namespace, other.name, "Webhook", "d", "sha256:d", "{}")
    await gateway_store.transact(triggers.record, new, [])
    await shown(operator_store, world)
    phases = by_label("coxswain_schedules", "phase")
    assert {phase: n for phase, n in phases.items() if n} == {"Active": 1, "Suspended": 1}
    assert by_label("coxswain_ticks_open", "state") == {"waiting": 2, "making": 0, "running": 1}
    assert measured("coxswain_triggers_waiting") == 1
    assert len(await world.rows(key)) == 3


async def test_ticks_are_counted_by_outcome_and_reason_and_how_late_their_job_was_made(
    world: ScheduleWorld,
) -> None:
    def counted(outcome: str, reason: str) -> float:
        return measured("coxswain_ticks_total", outcome=outcome, reason=reason) or 0.0

    def late(what: str) -> float:
        return measured(f"coxswain_tick_lateness_seconds_{what}", overlap="Skip") or 0.0

    outcomes = (("Fired", ""), ("Skipped", "Overlap"), ("Missed", "CatchUpWindow"))
    before = [counted(*each) for each in outcomes]
    count, seconds = late("count"), late("sum")
    world.has(builders.schedule().every(60).with_spec(catchUpWindowSeconds=600))
    world.now += timedelta(minutes=20, seconds=30)
    await world.passes()
    risen = [counted(*each) - was for each, was in zip(outcomes, before, strict=True)]
    assert risen == [1, 9, 10]
    assert late("count") - count == 1
    assert late("sum") - seconds == 570
