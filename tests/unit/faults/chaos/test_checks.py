"""Each check bites: what breaks it is named, and what differs in nothing else is not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coxswain import names
from coxswain.client.models import TickView
from tests.faults.chaos import checks
from tests.faults.chaos.checks import Wanted
from tests.faults.chaos.reading import Log
from tests.faults.chaos.recording import Noted
from tests.faults.history import Body, History
from tests.support import builders
from tests.support.histories import (
    JOB,
    changes,
    gone,
    gone_through,
    history,
    job,
    pod,
    row,
    told,
)

WANTED = Wanted()
BEGIN = datetime(2026, 11, 30, 8, 0, 1, tzinfo=UTC)
RAN = ("Queued", "Running", "Succeeded")


def _tick(second: int, *, count: int = 1, job_name: str | None = None) -> TickView:
    at = BEGIN + timedelta(seconds=second - 1)
    through = at + timedelta(seconds=5 * (count - 1))
    return TickView(
        id=f"t{second}",
        source="Time",
        at=at,
        through=through,
        count=count,
        due_at=at,
        outcome="Skipped" if job_name is None else "Fired",
        job=job_name,
    )


def _ticks(*rows: TickView) -> Wanted:
    """Of a Schedule with a tick each 5 s, of which there are two."""
    return Wanted(first=BEGIN, last=BEGIN + timedelta(seconds=10), step=5, ticks=rows)


def _of_tick(name: str, *phases: str) -> Body:
    form = gone_through(*phases)
    metadata = {
        **form["metadata"],
        "name": name,
        "uid": builders.uid_of("Job", name),
        "labels": {names.LABEL_SCHEDULE: "ticks"},
    }
    return {**form, "metadata": metadata}


def _counted(*numbers: int, uid: str = JOB) -> History:
    events = []
    for position, number in enumerate(numbers, start=1):
        stored = told(position, "run.output")
        event = replace(stored.event, seq=number, attempt=1, uid=uid)
        events.append(replace(stored, event=event))
    return history(job(), events=tuple(events))


def _claimed(*attempts: int) -> History:
    events = []
    for position, number in enumerate(attempts, start=1):
        stored = told(position, checks.CLAIMED)
        events.append(replace(stored, event=replace(stored.event, attempt=number)))
    return history(job(), events=tuple(events))


def _noted(at: float, *forms: Body) -> tuple[Noted, ...]:
    """The last of the revisions that these forms make, as it was heard of."""
    return (Noted(at, changes(forms)[-1]),)


QUIET = Wanted(quiet=(5.0, 15.0))
Case = tuple[Callable[..., Any], tuple[History, Wanted], tuple[History, Wanted]]
ASKED = Wanted(jobs=("j",))
GOOD_TICKS = _ticks(_tick(5), _tick(10))
CASES: list[Case] = [
    (checks.no_job_is_lost, (history(), ASKED), (history(gone_through(*RAN)), ASKED)),
    (
        checks.no_job_is_lost,
        (history(gone_through("Queued", "Running", "Failed")), ASKED),
        (history(gone_through(*RAN), gone(gone_through(*RAN))), ASKED),
    ),
    (checks.no_job_is_lost, (history(job()), ASKED), (history(job()), WANTED)),
    (checks.no_attempt_is_claimed_twice, (_claimed(1, 1), WANTED), (_claimed(1, 2), WANTED)),
    (
        checks.no_attempt_is_claimed_twice,
        (history(job(), pod(1), runs=(row(1, "stranger"),)), WANTED),
        (history(job(), pod(1), runs=(row(1, builders.uid_of("Pod", "j-1")),)), WANTED),
    ),
    (
        checks.no_attempt_is_claimed_twice,
        (history(job(), runs=(row(1, "stranger"),)), WANTED),
        (history(runs=(row(1, "of a Job that was gone before the run"),)), WANTED),
    ),
    (
        checks.each_tick_has_one_outcome,
        (history(), _ticks(_tick(5))),
        (history(), GOOD_TICKS),
    ),
    (
        checks.each_tick_has_one_outcome,
        (history(), _ticks(_tick(5), _tick(5, count=2))),
        (history(), _ticks(_tick(5, count=2))),
    ),
    (
        checks.each_tick_has_one_outcome,
        (history(), _ticks(_tick(5), _tick(10), _tick(15))),
        (history(), GOOD_TICKS),
    ),
    (
        checks.each_tick_has_one_outcome,
        (history(), _ticks(_tick(5), _tick(10).model_copy(update={"outcome": None}))),
        (history(), GOOD_TICKS),
    ),
    (
        checks.each_tick_has_one_outcome,
        (history(), _ticks(_tick(5, count=2).model_copy(update={"count": 3}))),
        (history(), _ticks(_tick(5, count=2))),
    ),
    (
        checks.each_tick_has_one_outcome,
        (history(), _ticks(_tick(5, job_name="t"), _tick(10))),
        (history(_of_tick("t", *RAN)), _ticks(_tick(5, job_name="t"), _tick(10))),
    ),
    (
        checks.each_tick_has_one_outcome,
        (history(_of_tick("t", *RAN)), GOOD_TICKS),
        (history(gone_through(*RAN)), GOOD_TICKS),
    ),
    (
        checks.each_tick_has_one_outcome,
        (history(_of_tick("t", "Queued")), _ticks(_tick(5, job_name="t"), _tick(10))),
        (history(_of_tick("t", *RAN)), _ticks(_tick(5, job_name="t"), _tick(10))),
    ),
    (
        checks.the_log_has_no_gap,
        (history(), Wanted(began=4, log=Log(5, 9, 4))),
        (history(), Wanted(began=4, log=Log(5, 9, 5))),
    ),
    (
        checks.the_log_has_no_gap,
        (history(), Wanted(began=4, log=Log(6, 9, 4))),
        (history(), Wanted(began=5, log=Log(6, 9, 4))),
    ),
    (
        checks.the_log_has_no_gap,
        (_counted(1, 3), Wanted(log=Log(1, 2, 2))),
        (_counted(1, 2), Wanted(log=Log(1, 2, 2))),
    ),
    (
        checks.the_log_has_no_gap,
        (_counted(2, 3), Wanted(log=Log(1, 2, 2))),
        (_counted(2, 3, uid=builders.uid_of("Job", "of before")), Wanted(log=Log(1, 2, 2))),
    ),
    (
        checks.every_revision_was_seen,
        (history(), Wanted(holes=("Job: listed anew",))),
        (history(), WANTED),
    ),
    (
        checks.the_platform_answers_again,
        (history(), Wanted(silent=("no leader",))),
        (history(), WANTED),
    ),
    (
        checks.quiet_at_the_end,
        (history(), replace(QUIET, noted=_noted(6.0, job()))),
        (history(), replace(QUIET, noted=_noted(4.0, job()))),
    ),
    (
        checks.quiet_at_the_end,
        (history(), replace(QUIET, noted=_noted(6.0, pod(1)))),
        (history(), replace(QUIET, noted=_noted(6.0, pod(1), pod(1, phase="Failed")))),
    ),
]


@pytest.mark.parametrize(
    ("check", "bad", "good"),
    CASES,
    ids=[f"{check.__name__}-{n}" for n, (check, _, _) in enumerate(CASES)],
)
def test_what_breaks_it_is_named_and_what_keeps_it_is_not(
    check: Any, bad: tuple[History, Wanted], good: tuple[History, Wanted]
) -> None:
    assert list(check(*bad))
    assert list(check(*good)) == []


def test_every_check_is_shown_to_bite() -> None:
    assert {check for check, _, _ in CASES} == set(checks.CHECKS)


def test_what_held_is_told_by_name_too() -> None:
    found = checks.judged(history(job()), replace(ASKED, log=Log(1, 0, 0)))
    assert {name for name, breaches in found.items() if breaches} == {"no job is lost"}
    assert len(found) == len(checks.CHECKS) + len(checks.INVARIANTS)
    assert {"tokens grow", "one live pod per attempt", "quiet at the end"} <= found.keys()


def test_moments_are_the_multiples_between_two_instants() -> None:
    found = checks.moments(BEGIN, BEGIN + timedelta(seconds=10), 5)
    assert [each.second for each in found] == [5, 10]
    on_it = BEGIN + timedelta(seconds=4)
    assert checks.moments(on_it, on_it, 5) == [on_it]
