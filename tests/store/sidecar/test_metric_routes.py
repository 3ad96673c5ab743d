"""Jobs in numbers over HTTP: what is where, what happened, which alerts are active."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from coxswain.process.census import Census
from coxswain.store import events, mirror, usage, uuid7
from coxswain.store.mirror import ObjectRow
from coxswain.store.pool import Store
from coxswain.store.usage import Call
from tests.support import builders, measured, rows, sidecar_api
from tests.support.builders import JobBuilder
from tests.support.postgres import Database
from tests.support.sidecar_api import Api

Body = dict[str, Any]


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def waits(
    name: str, condition: str, seconds: float, *, status: str = "False", reason: str = "Waits"
) -> JobBuilder:
    made = builders.job(name).with_status(phase="Queued")
    made = made.with_condition("Accepted", "True", "Valid").with_condition(
        condition, status, reason
    )
    made.status["conditions"][1]["lastTransitionTime"] = ago(seconds).isoformat()
    return made


async def mirrored(store: Store, *jobs: JobBuilder, version: int = 1) -> None:
    await store.transact(mirror.write, [_row(each.raw, version) for each in jobs], [])


def _row(raw: Body, version: int) -> ObjectRow:
    metadata = raw["metadata"]
    return ObjectRow(
        uid=metadata["uid"],
        kind="Job",
        workspace=metadata["namespace"],
        name=metadata["name"],
        generation=1,
        resource_version=str(version),
        phase=raw["status"].get("phase", ""),
        created_at=datetime.fromisoformat(metadata["creationTimestamp"]),
        body=raw,
    )


async def happens(api: Api, kind: str, times: int = 1, *, before: float = 1, **more: Any) -> None:
    """Events of so many seconds ago."""
    made = [
        rows.event(kind, id=uuid7.new(ago(before)), **{"workspace": "team", **more})
        for _ in range(times)
    ]
    await api.operator.run(events.append, made)


async def read(api: Api, headers: Body | None = None, **query: Any) -> Body:
    async with api.anybody.get(
        "/v1/metrics", params=query, headers=headers or dict(api.user.headers)
    ) as answer:
        found: Body = await answer.json(content_type=None)
        assert answer.status == 200, found
    return found


def names(found: Body) -> list[tuple[str, str | None]]:
    return [(each["name"], each.get("condition")) for each in found["alerts"]]


async def test_an_installation_without_jobs_has_a_zero_for_everything(api: Api) -> None:
    found = await read(api)
    assert found["windowSeconds"] == 900
    assert found["jobs"] == dict.fromkeys(
        ("Queued", "Running", "Review", "Succeeded", "Failed", "Cancelled"), 0
    )
    assert (found["heldBack"], found["alerts"]) == ([], [])
    counters = found["counters"]
    assert counters.pop("attempts") == {}
    assert set(counters.values()) == {0}


async def test_living_jobs_are_counted_by_phase(api: Api) -> None:
    gone = await api.mirrored("gone", phase="Running")
    await api.operator.transact(mirror.mark_deleted, [gone.uid], [])
    for name, phase in (("new", ""), ("waits", "Queued"), ("runs", "Running"), ("bad", "Failed")):
        await api.mirrored(name, phase=phase)
    await api.mirrored("an-agent", kind="Agent", phase="Ready")
    jobs = (await read(api))["jobs"]
    assert {phase: count for phase, count in jobs.items() if count} == {
        "Queued": 2,
        "Running": 1,
        "Failed": 1,
    }


async def test_what_holds_jobs_back_is_what_prometheus_is_told(api: Api) -> None:
    jobs = [
        waits("a", "QuotaReserved", 1000),
        waits("b", "QuotaReserved", 10),
        waits("c", "AgentReady", 50, reason="AgentNotFound"),
        waits("d", "AgentReady", 70, reason="AgentSuspended"),
        waits("e", "Suspended", 60, status="True"),
        waits("f", "Suspended", 60, status="False"),
        waits("g", "Ready", 60),
        builders.job("h").running(),
        builders.job("i"),
    ]
    await mirrored(api.operator, *jobs)
    Census().show([each.raw for each in jobs], datetime.now(UTC))
    gauges = measured.series("coxswain_jobs_held_back")
    oldest = measured.series("coxswain_jobs_held_back_oldest_seconds")
    found = {each["condition"]: each for each in (await read(api))["heldBack"]}
    assert {name: each["jobs"] for name, each in found.items()} == {
        of: number for (of,), number in gauges.items() if number
    }
    assert set(found) == {"QuotaReserved", "AgentReady", "Suspended"}
    for name, each in found.items():
        assert each["oldestSeconds"] == pytest.approx(oldest[name,], abs=10)


async def test_counters_go_back_as_far_as_they_say(api: Api) -> None:
    for before in (5, 100, 5000):
        await happens(api, "job.created", before=before)
        await happens(api, "job.succeeded", 2, before=before)
        await happens(api, "job.failed", before=before)
        await happens(api, "job.cancelled", before=before)
        for outcome in ("Lost", "Succeeded"):
            await happens(api, "attempt.ended", before=before, details={"outcome": outcome})
        await happens(api, "run.output", 3, before=before)
    for window, times in ((60, 1), (900, 2), (7200, 3)):
        found = await read(api, windowSeconds=window)
        assert found["windowSeconds"] == window
        counters = found["counters"]
        assert counters["jobsCreated"] == times
        assert counters["jobsSucceeded"] == 2 * times
        assert counters["jobsFailed"] == times
        assert counters["jobsCancelled"] == times
        assert counters["attempts"] == {"Lost": times, "Succeeded": times}
        assert counters["events"] == 10 * times


async def test_calls_of_models_are_counted_with_their_tokens(
    api: Api, gateway_store: Store
) -> None:
    await api.mirrored("reader", kind="Agent", phase="Ready")
    for outcome in ("ok", "ok", "PROVIDER_TIMEOUT"):
        call = Call(
            id=uuid4(),
            workspace="team",
            agent_name="reader",
            job_uid=str(uuid4()),
            attempt=1,
            alias="default",
            provider="demo",
            model="demo",
            milliseconds=5,
            streamed=False,
            outcome=outcome,
            input_tokens=100 if outcome == "ok" else 0,
            output_tokens=7 if outcome == "ok" else 0,
        )
        await gateway_store.run(usage.record, call)
    counters = (await read(api))["counters"]
    assert (counters["modelCalls"], counters["modelCallsFailed"]) == (3, 1)
    assert (counters["inputTokens"], counters["outputTokens"]) == (200, 14)
    assert (await read(api, workspace="other"))["counters"]["modelCalls"] == 0


async def test_a_stalled_queue_is_an_alert_until_the_job_has_its_turn(api: Api) -> None:
    await mirrored(api.operator, waits("a", "QuotaReserved", 599), waits("b", "Approved", 9000))
    assert names(await read(api)) == []
    late = waits("c", "PodStarted", 700)
    await mirrored(api.operator, late)
    found = await read(api)
    assert names(found) == [("QUEUE_STALLED", "PodStarted")]
    (alert,) = found["alerts"]
    assert alert["threshold"] == 600
    assert 700 <= alert["value"] < 760
    await mirrored(api.operator, builders.job("c").running(), version=2)
    assert names(await read(api)) == []


async def test_many_failures_are_an_alert_until_they_are_long_ago(api: Api) -> None:
    await happens(api, "job.failed", 20, before=1000)
    await happens(api, "job.failed", 9)
    assert names(await read(api)) == []
    await happens(api, "job.failed")
    found = await read(api, windowSeconds=60)
    assert names(found) == [("HIGH_FAILURE_RATE", None)]
    assert found["alerts"][0]["value"] == 100
    await happens(api, "job.succeeded", 10)
    assert names(await read(api)) == []


async def test_alerts_are_judged_over_their_own_window_whatever_is_asked_for(api: Api) -> None:
    await happens(api, "job.failed", 20, before=800)
    assert names(await read(api, windowSeconds=60)) == [("HIGH_FAILURE_RATE", None)]
    assert (await read(api, windowSeconds=60))["counters"]["jobsFailed"] == 0


async def test_an_installation_says_from_where_on_there_is_an_alert(
    database: Database, operator_store: Store, tmp_path: Path
) -> None:
    given = {
        "alerts_queue_stalled_seconds": 20,
        "alerts_failure_rate_percent": 10,
        "alerts_failure_rate_minimum": 2,
        "alerts_window_seconds": 120,
    }
    async with sidecar_api.running(database, operator_store, tmp_path, **given) as api:
        await mirrored(api.operator, waits("a", "QuotaReserved", 30))
        await happens(api, "job.failed", 1)
        await happens(api, "job.succeeded", 4)
        await happens(api, "job.succeeded", 100, before=200)
        found = await read(api)
    assert found["windowSeconds"] == 120
    assert names(found) == [("QUEUE_STALLED", "QuotaReserved"), ("HIGH_FAILURE_RATE", None)]


async def test_a_machine_is_told_of_its_own_workspaces_alone(api: Api) -> None:
    await mirrored(
        api.operator,
        waits("a", "QuotaReserved", 700),
        waits("b", "QuotaReserved", 700).in_namespace("other"),
    )
    await happens(api, "job.failed", 11)
    await happens(api, "job.failed", 3, workspace="other")
    mine = await api.key("Read", workspaces=["other"])
    found = await read(api, mine)
    assert found["jobs"]["Queued"] == 1
    assert found["counters"]["jobsFailed"] == 3
    assert names(found) == [("QUEUE_STALLED", "QuotaReserved")]
    named = await read(api, mine, workspace="other")
    assert (named["jobs"], named["counters"]) == (found["jobs"], found["counters"])
    async with api.anybody.get("/v1/metrics?workspace=team", headers=mine) as answer:
        assert answer.status == 403
        assert (await answer.json(content_type=None))["field"] == "query.workspace"


@pytest.mark.parametrize("window", ["59", "86401", "an hour", "-1"])
async def test_a_window_beyond_its_bounds_is_refused_with_its_name(api: Api, window: str) -> None:
    async with api.user.get("/v1/metrics", params={"windowSeconds": window}) as answer:
        assert answer.status == 422
        assert (await answer.json(content_type=None))["field"] == "query.windowSeconds"
