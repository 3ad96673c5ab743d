"""Each invariant bites: a history that breaks it is named, and one that differs in nothing else is not."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.faults import invariants
from tests.faults.history import History
from tests.faults.invariants import (
    attempts_without_holes,
    claims_that_began,
    conditions_in_order,
    events_equal_status,
    next_attempt_waits,
    no_orphans,
    one_effect_per_attempt,
    one_live_pod_per_attempt,
    phases_along_the_table,
    quiet_at_the_end,
    tokens_grow,
    writes_with_precondition,
)
from tests.faults.plan import SIDECAR
from tests.faults.proxy.seen import Exchange
from tests.faults.proxy.targets import Target
from tests.support import answer_cases, builders
from tests.support.histories import (
    attempts,
    effect,
    gone,
    gone_through,
    history,
    job,
    pod,
    row,
    told,
)


def _sent(verb: str, resource: str, at: float = 1.0, who: str = "one", **body: Any) -> History:
    target = Target(verb, resource, "team", "j")
    return history(exchanges=(Exchange(at, who, target, body, 200, 7),), quiet_from=5.0)


def _election(holder: str, epoch: int) -> dict[str, Any]:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "coxswain-operator", "namespace": "home", "uid": "election"},
        "spec": {"holderIdentity": holder, "leaseTransitions": epoch},
    }


def _lease(holder: str | None, token: int) -> dict[str, Any]:
    return builders.lease().with_status(holder=holder, token=token).raw


def _agent(*types: str) -> dict[str, Any]:
    made = builders.agent()
    for each in types:
        made = made.with_condition(each, "True", "Ready")
    return made.raw


def _asked(*types: str) -> dict[str, Any]:
    return job(conditions=[{"type": each, "status": "True"} for each in types])


NOW = datetime.now(UTC)
METADATA = {"name": "j", "resourceVersion": "3"}
CASES = [
    (one_live_pod_per_attempt, history(pod(1), pod(1, name="other")), history(pod(1), pod(2))),
    (
        one_live_pod_per_attempt,
        history(pod(1), pod(1, name="other"), gone(pod(1))),
        history(pod(1), gone(pod(1)), pod(1, name="other")),
    ),
    (
        one_effect_per_attempt,
        history(effects=(effect(1), effect(1))),
        history(effects=(effect(1), effect(2))),
    ),
    (attempts_without_holes, history(attempts(1, 3)), history(attempts(1), attempts(1, 2))),
    (attempts_without_holes, history(attempts(1, 2), attempts(1)), history(attempts(1, 2))),
    (
        attempts_without_holes,
        history(attempts(1, 2, 3, attemptsUsed=3)),
        history(attempts(1, 2, 3, attemptsUsed=2)),
    ),
    (
        attempts_without_holes,
        history(gone_through("Queued", "Running", "Queued", attemptsUsed=3)),
        history(gone_through("Queued", "Running", "Review", "Queued", attemptsUsed=3)),
    ),
    (
        next_attempt_waits,
        history(pod(1), pod(2)),
        history(pod(1), pod(1, phase="Failed"), pod(2)),
    ),
    (no_orphans, history(job(), pod(1), gone(job())), history(job(), pod(1))),
    (
        no_orphans,
        history(gone_through("Queued", "Cancelled"), pod(1)),
        history(gone_through("Queued", "Cancelled"), pod(1, phase="Failed")),
    ),
    (
        no_orphans,
        history(job(), gone(job()), runs=(row(1, "a"),)),
        history(job(), gone(job()), runs=(replace(row(1, "a"), closed_at=NOW),)),
    ),
    (
        no_orphans,
        history(gone_through("Queued", "Cancelled"), runs=(row(1, "a"),)),
        history(gone_through("Queued", "Running"), runs=(row(1, "a"),)),
    ),
    (
        phases_along_the_table,
        history(gone_through("Queued", "Succeeded")),
        history(gone_through("Queued", "Running", "Succeeded")),
    ),
    (
        phases_along_the_table,
        history(gone_through("Queued", "Running"), gone_through("Queued", "Cancelled")),
        history(gone_through("Queued"), gone_through("Queued", "Cancelled")),
    ),
    (
        phases_along_the_table,
        history({**gone_through("Queued"), "status": {"phase": "Running"}}),
        history(gone_through("Queued")),
    ),
    (
        conditions_in_order,
        history(_agent("Ready", "Accepted"), _agent("Accepted", "Ready")),
        history(_agent("Ready", "Accepted"), _agent("Ready")),
    ),
    (
        conditions_in_order,
        history(_asked("Ready", "Accepted")),
        history(_asked("Accepted", "Ready")),
    ),
    (conditions_in_order, history(_asked("Ready", "Ready")), history(_asked("Ready"))),
    (tokens_grow, history(attempts(1, 2, tokens=(4, 4))), history(attempts(1, 2, tokens=(4, 5)))),
    (
        tokens_grow,
        history(_lease("run:a", 4), _lease(None, 3)),
        history(_lease("run:a", 4), _lease(None, 4)),
    ),
    (
        tokens_grow,
        history(_lease("run:a", 4), _lease("run:b", 4)),
        history(_lease("run:a", 4), _lease("run:b", 5)),
    ),
    (
        tokens_grow,
        history(_election("one", 1), _election("two", 1)),
        history(_election("one", 1), _election("two", 2)),
    ),
    (
        writes_with_precondition,
        _sent("patch", "jobs/status", metadata={"uid": "u"}),
        _sent("patch", "jobs/status", metadata=METADATA),
    ),
    (
        writes_with_precondition,
        _sent("delete", "pods", kind="DeleteOptions"),
        _sent("delete", "pods", preconditions={"uid": "u"}),
    ),
    (
        writes_with_precondition,
        _sent("create", "pods", metadata={"generateName": "j-"}),
        _sent("create", "pods", metadata={"name": "j-1"}),
    ),
    (
        quiet_at_the_end,
        _sent("patch", "jobs/status", at=6.0),
        _sent("patch", "jobs/status", at=4.0),
    ),
    (
        claims_that_began,
        history(effects=(effect(1, "pod-a"),)),
        history(effects=(effect(1, "pod-a"),), runs=(row(1, "pod-a"),)),
    ),
    (
        claims_that_began,
        history(effects=(effect(1, "pod-a"),), runs=(row(1, "pod-b"),)),
        history(effects=(effect(1, "pod-a"),), runs=(row(1, "pod-a"),)),
    ),
    (
        claims_that_began,
        history(effects=(effect(1, "pod-a", token=3),), runs=(row(1, "pod-a", token=4),)),
        history(effects=(effect(1, "pod-a", token=4),), runs=(row(1, "pod-a", token=4),)),
    ),
    (
        tokens_grow,
        history(runs=(row(1, "a", token=4), row(2, "b", token=4))),
        history(runs=(row(1, "a", token=4), row(2, "b", token=5))),
    ),
    (
        events_equal_status,
        history(gone_through("Queued", "Cancelled"), events=(told(1, "job.queued", "Queued"),)),
        history(
            gone_through("Queued", "Cancelled"),
            events=(told(1, "job.queued", "Queued"), told(2, "job.cancelled", "Cancelled")),
        ),
    ),
    (
        events_equal_status,
        history(
            gone_through("Queued"),
            events=(
                told(1, "job.created"),
                told(2, "job.queued", "Queued"),
                told(3, "job.created"),
            ),
        ),
        history(
            gone_through("Queued"),
            events=(told(1, "job.created"), told(2, "job.queued", "Queued")),
        ),
    ),
    (
        events_equal_status,
        history(
            gone_through("Queued"),
            events=(told(1, "job.queued", "Queued"), told(1, "job.created")),
        ),
        history(
            gone_through("Queued"),
            events=(told(1, "job.created"), told(2, "job.queued", "Queued")),
        ),
    ),
    (
        writes_with_precondition,
        _sent("patch", "jobs", who="one", metadata={"uid": "u"}),
        _sent("patch", "jobs", who=SIDECAR, metadata={"uid": "u"}),
    ),
    (
        writes_with_precondition,
        _sent("patch", "jobs", who=SIDECAR, metadata={"annotations": {}}),
        _sent("patch", "jobs", who=SIDECAR, metadata=METADATA),
    ),
    *answer_cases.CASES,
]


QUEUED, RUNNING = gone_through("Queued"), gone_through("Queued", "Running")
FIRST, NEXT = _election("one", 1), _election("two", 2)
HEARD = (told(1, "job.created"), told(2, "job.queued", "Queued"))


def test_what_a_leader_wrote_as_it_died_is_excused_where_it_was_gone_before_the_next() -> None:
    excused = history(FIRST, QUEUED, RUNNING, FIRST, gone(RUNNING), NEXT, events=HEARD)
    assert list(events_equal_status.breaches(excused)) == []
    never = history(FIRST, RUNNING, gone(RUNNING), NEXT)
    assert list(events_equal_status.breaches(never)) == []


@pytest.mark.parametrize(
    ("why", "forms"),
    [
        ("it is there", (FIRST, QUEUED, RUNNING, NEXT)),
        ("nobody else led", (FIRST, QUEUED, RUNNING, gone(RUNNING))),
        ("the next one saw it", (FIRST, QUEUED, RUNNING, NEXT, gone(RUNNING))),
        ("it ended in order", (FIRST, QUEUED, RUNNING, gone(RUNNING), _election("", 1), NEXT)),
        ("it led on", (FIRST, QUEUED, RUNNING, gone(RUNNING), *[FIRST] * 6, NEXT)),
        ("it tells what never was", (FIRST, RUNNING, gone_through("Running"), gone(RUNNING), NEXT)),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_nothing_else_that_the_log_lacks_is_excused(why: str, forms: tuple[Any, ...]) -> None:
    assert list(events_equal_status.breaches(history(*forms, events=HEARD))), why


@pytest.mark.parametrize(
    ("module", "bad", "good"),
    CASES,
    ids=[f"{invariants.name(module)}-{n}" for n, (module, _, _) in enumerate(CASES)],
)
def test_a_history_that_breaks_it_is_named_and_one_that_keeps_it_is_not(
    module: Any, bad: History, good: History
) -> None:
    assert list(module.breaches(bad))
    assert list(module.breaches(good)) == []


def test_every_invariant_is_shown_to_bite() -> None:
    assert {module for module, _, _ in CASES} == set(invariants.MODULES)


def test_what_is_broken_is_told_by_name() -> None:
    found = invariants.broken(history(pod(1), pod(1, name="other"), job()))
    assert list(found) == ["one live pod per attempt"]
    (breach,) = found["one live pod per attempt"]
    assert breach.revision == 2
    assert "j-1, other" in breach.what
