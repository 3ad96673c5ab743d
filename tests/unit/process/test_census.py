"""How many Jobs are where, as Prometheus is told."""

from datetime import UTC, datetime

import pytest

from coxswain.process.census import Census
from coxswain.telemetry.few import MOST_WORKSPACES, OTHER
from coxswain_controllers.job.decide import decide
from coxswain_controllers.job.snapshot import AgentSeen
from tests.support import builders, snapshots
from tests.support.builders import JobBuilder
from tests.support.measured import series
from tests.support.snapshots import PLATFORM

NOW = datetime(2026, 11, 21, 4, tzinfo=UTC)


def held_back(
    condition: str, *, since: str = builders.CREATED, status: str = "False"
) -> JobBuilder:
    made = builders.job().with_status(phase="Queued").with_condition("Accepted", "True", "Valid")
    made = made.with_condition(condition, status, "Waits").with_condition("Ready", "False", "Waits")
    made.status["conditions"][1]["lastTransitionTime"] = since
    return made


def test_jobs_are_counted_by_workspace_and_phase() -> None:
    jobs = [builders.job(), builders.job().running(), builders.job().in_namespace("other-team")]
    Census().show([each.raw for each in jobs], NOW)
    found = series("coxswain_jobs")
    assert found[builders.NAMESPACE, "Queued"] == 1
    assert found[builders.NAMESPACE, "Running"] == 1
    assert found["other-team", "Queued"] == 1
    Census().show([], NOW)
    assert series("coxswain_jobs") == {}


def test_workspaces_beyond_the_most_share_one_label() -> None:
    jobs = [builders.job().in_namespace(f"w{number}") for number in range(MOST_WORKSPACES + 7)]
    Census().show([each.raw for each in jobs], NOW)
    assert series("coxswain_jobs")[OTHER, "Queued"] == 7


def test_what_holds_jobs_back_is_told_with_the_longest_wait() -> None:
    early, late = "2026-11-21T03:50:00Z", "2026-11-21T03:59:00Z"
    jobs = [
        held_back("QuotaReserved", since=early),
        held_back("QuotaReserved", since=late),
        held_back("Suspended", since=late, status="True"),
        builders.job().running(),
    ]
    Census().show([each.raw for each in jobs], NOW)
    assert series("coxswain_jobs_held_back")["QuotaReserved",] == 2
    assert series("coxswain_jobs_held_back_oldest_seconds")["QuotaReserved",] == 600
    assert series("coxswain_jobs_held_back_oldest_seconds")["Suspended",] == 60
    Census().show([], NOW)
    assert series("coxswain_jobs_held_back")["QuotaReserved",] == 0
    assert series("coxswain_jobs_held_back_oldest_seconds")["QuotaReserved",] == 0


@pytest.mark.parametrize(
    ("agent", "counted"),
    [
        (None, "AgentReady"),
        (snapshots.agent(builders.agent().suspended()), "Suspended"),
    ],
)
def test_a_job_of_a_suspended_agent_waits_for_a_wish_and_not_for_its_agent(
    agent: AgentSeen | None, counted: str
) -> None:
    status = decide(snapshots.waiting(agent=agent), PLATFORM, NOW).status
    assert status is not None
    Census().show([{**builders.job().raw, "status": status}], NOW)
    held = series("coxswain_jobs_held_back")
    assert {of for (of,), number in held.items() if number} == {counted}
