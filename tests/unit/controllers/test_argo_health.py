"""How Argo CD reads what our operator writes, by the Lua that we give it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml
from lupa.lua51 import LuaRuntime

from coxswain.api import manifest
from coxswain.api.agent import AgentPhase
from coxswain.api.job import JobPhase
from coxswain.api.lease import LeaseState
from coxswain.api.schedule import SchedulePhase
from coxswain.rules.outcome import RunFacts
from coxswain_controllers.agent import status as agent_status
from coxswain_controllers.job.decide import decide as decide_job
from coxswain_controllers.lease.decide import decide as decide_lease
from devtools import gitops
from tests.support import builders, kstatus, snapshots
from tests.support.snapshots import BADLY, NOW, PLATFORM, WELL, at
from tests.unit.controllers import test_agent_decide as agents
from tests.unit.controllers import test_lease_decide as leases

Body = dict[str, Any]
READS = {"Current": "Healthy", "InProgress": "Progressing", "Failed": "Degraded"}
JOB = builders.job()
CUT_OFF = replace(snapshots.running(), pod=None, run=RunFacts(claimed=True, acts_open=("mail",)))

JOBS = {
    "waits": (snapshots.waiting(agent=None), NOW, "Progressing"),
    "held back": (snapshots.waiting(JOB.with_spec(suspend=True)), NOW, "Suspended"),
    "runs": (snapshots.starting(running_since=NOW), at(1), "Progressing"),
    "in review": (CUT_OFF, at(20), "Suspended"),
    "well": (snapshots.ended(end=WELL), at(21), "Healthy"),
    "badly": (snapshots.ended(end=BADLY), at(21), "Degraded"),
    "cancelled": (snapshots.waiting(JOB.cancelled()), NOW, "Degraded"),
}
LEASES = {
    "free": (leases.seen(leases.row()), "Healthy"),
    "held": (leases.seen(leases.held()), "Healthy"),
    "expired": (leases.seen(leases.row(state=LeaseState.EXPIRED)), "Healthy"),
    "quarantined": (leases.seen(leases.quarantined()), "Progressing"),
    "taken by another": (leases.seen(None, taken_by="other"), "Degraded"),
}
# Phase, then Ready, Reconciling and Stalled, as the Schedule's room writes them together.
SCHEDULES = {
    "records away": (SchedulePhase.PENDING, "False", "True", "False", "Progressing"),
    "ticks": (SchedulePhase.ACTIVE, "True", "False", "False", "Healthy"),
    "its Jobs are refused": (SchedulePhase.ACTIVE, "False", "False", "False", "Progressing"),
    "held back": (SchedulePhase.SUSPENDED, "False", "False", "False", "Suspended"),
    "paused after failures": (SchedulePhase.SUSPENDED, "False", "False", "True", "Degraded"),
    "over": (SchedulePhase.COMPLETE, "True", "False", "False", "Healthy"),
    "unreadable": (SchedulePhase.FAILED, "False", "False", "True", "Degraded"),
}

Health = Callable[[str, Body | None, int], str]


@pytest.fixture(scope="module")
def health() -> Health:
    lua = LuaRuntime(unpack_returned_tuples=True)
    load: Any = lua.eval("loadstring")
    script = load(gitops.HEALTH.read_text())

    def read(kind: str, status: Body | None, generation: int) -> str:
        body = {"kind": kind, "metadata": {"generation": generation}, "status": status}
        lua.globals()["obj"] = lua.table_from(body, recursive=True)
        return str(script()["status"])

    return read


def _of_job(seen: Any, now: Any) -> Body:
    found = decide_job(seen, PLATFORM, now).status
    assert found is not None
    return found


def _of_lease(seen: Any) -> Body:
    found = decide_lease(seen, leases.NOW).status
    assert found is not None
    return found


def _of_schedule(phase: SchedulePhase, *words: str) -> Body:
    made = builders.schedule().with_status(phase=phase.value, observedGeneration=1)
    for kind, word in zip(("Ready", "Reconciling", "Stalled"), words, strict=True):
        made = made.with_condition(kind, word, "Because")
    return made.status


SAMPLES: dict[str, tuple[str, Body, str]] = {
    **{f"Job {k}": ("Job", _of_job(s, now), w) for k, (s, now, w) in JOBS.items()},
    **{f"Lease {k}": ("Lease", _of_lease(s), w) for k, (s, w) in LEASES.items()},
    **{
        f"Schedule {k}": ("Schedule", _of_schedule(p, *c), w) for k, (p, *c, w) in SCHEDULES.items()
    },
    **{
        f"Agent {k}": ("Agent", agent_status.of(s, NOW), READS.get(r, "Suspended"))
        for k, (s, _, _, r) in agents.ALL.items()
    },
}


@pytest.mark.parametrize(("kind", "status", "wanted"), SAMPLES.values(), ids=SAMPLES)
def test_argo_reads_it_as_it_is_meant(kind: str, status: Body, wanted: str, health: Health) -> None:
    assert health(kind, status, 1) == wanted


@pytest.mark.parametrize(("kind", "status", "_wanted"), SAMPLES.values(), ids=SAMPLES)
def test_a_status_of_an_older_spec_says_nothing(
    kind: str, status: Body, _wanted: str, health: Health
) -> None:
    assert health(kind, status, 2) == "Progressing"
    assert kstatus.read({"generation": 2}, status) == "InProgress"


def test_what_the_operator_has_not_seen_is_not_healthy(health: Health) -> None:
    assert health("Agent", None, 1) == "Progressing"
    assert health("Agent", {}, 1) == "Progressing"


@pytest.mark.parametrize(("kind", "status", "wanted"), SAMPLES.values(), ids=SAMPLES)
def test_kstatus_and_argo_agree_on_what_is_done_and_what_is_lost(
    kind: str, status: Body, wanted: str
) -> None:
    reading = kstatus.read({"generation": 1}, status)
    assert (wanted == "Healthy") == (reading == "Current"), kind
    assert (wanted == "Degraded") == (reading == "Failed"), kind


def test_every_phase_of_every_kind_has_a_sample() -> None:
    seen = {
        (kind, status.get("phase") or status.get("state")) for kind, status, _ in SAMPLES.values()
    }
    kinds = {"Job": JobPhase, "Agent": AgentPhase, "Schedule": SchedulePhase, "Lease": LeaseState}
    assert set(kinds) == {kind.name for kind in manifest.KINDS}
    missing = {(kind, each.value) for kind, phases in kinds.items() for each in phases} - seen
    assert missing == set()


def test_argo_is_told_about_every_kind() -> None:
    told = yaml.safe_load(gitops.settings())["data"]
    wanted = {f"resource.customizations.health.coxswain.dev_{kind.name}" for kind in manifest.KINDS}
    assert set(told) == wanted
    assert set(told.values()) == {gitops.HEALTH.read_text()}
