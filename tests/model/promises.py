"""What holds in every state of a Job, and over every step. One name each."""

import itertools
import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from coxswain.api.job import TERMINAL, JobPhase
from coxswain.rules import lifecycle
from tests.model import forms
from tests.model.explore import BrokenError

ENDED = frozenset(phase.value for phase in TERMINAL)


def check(state: Any) -> None:
    """All promises about a state."""
    for promise in OF_STATES:
        problem = promise(state)
        if problem is not None:
            raise BrokenError(problem)
    problem = _of_status(state.job.status)
    if problem is not None:
        raise BrokenError(problem)


def check_change(before: Any, after: Any) -> None:
    """All promises about a step."""
    for promise in OF_STEPS:
        problem = promise(before, after)
        if problem is not None:
            raise BrokenError(problem)


def one_pod_acts(state: Any) -> str | None:
    """At most one pod that has claimed a run still runs: two never do the same work."""
    owners = {row.pod_uid for row in state.rows if row is not None}
    acting = [pod.uid for pod in state.pods if pod.phase == "Running" and pod.uid in owners]
    return None if len(acting) < 2 else f"two pods act at once: {' and '.join(acting)}"


def one_run_is_open(state: Any) -> str | None:
    """At most one row accepts what its pod says."""
    rows = enumerate(state.rows, start=1)
    open_ones = [number for number, row in rows if row is not None and row.closed is None]
    return None if len(open_ones) < 2 else f"the runs of attempts {open_ones} are open at once"


def tokens_grow(state: Any) -> str | None:
    """Each attempt's token is larger than all before."""
    tokens = [row.token for row in state.rows if row is not None]
    is_good = all(early < late for early, late in itertools.pairwise(tokens))
    return None if is_good else f"tokens do not grow: {tokens}"


def done_is_done(state: Any) -> str | None:
    """After a success that was posted and accepted no later attempt is claimed."""
    good = [number for number, row in enumerate(state.rows, 1) if row and row.result == "succeeded"]
    later = [number for number, row in enumerate(state.rows, 1) if row and row.pod_uid]
    if good and later and max(later) > min(good):
        return f"attempt {max(later)} works although attempt {min(good)} had succeeded"
    return None


def success_is_told(state: Any) -> str | None:
    """What was posted as a success and accepted ends the Job as one, unless somebody ended it before."""
    if forms.phase_of(state.job.status) != JobPhase.FAILED.value:
        return None
    good = [number for number, row in enumerate(state.rows, 1) if row and row.result == "succeeded"]
    return f"the Job failed although attempt {good[0]} had posted a success" if good else None


OF_STATES: tuple[Callable[[Any], str | None], ...] = (
    one_pod_acts,
    one_run_is_open,
    tokens_grow,
    done_is_done,
    success_is_told,
)


@lru_cache(maxsize=200_000)
def _of_status(text: str) -> str | None:
    """Phases along the table, attempts without holes, tokens that grow, times in order."""
    found = json.loads(text)
    edges = found.get("transitions") or ()
    phases = [None, *(JobPhase(each["phase"]) for each in edges)]
    for before, after in itertools.pairwise(phases):
        if after not in lifecycle.EDGES[before]:
            return f"the Job went from {before} to {after}"
    if edges and found["phase"] != edges[-1]["phase"]:
        return f"the phase is {found['phase']}, the last edge says {edges[-1]['phase']}"
    times = [each["at"] for each in edges]
    if times != sorted(times):
        return f"the times of the edges run backwards: {times}"
    return _of_attempts(found)


def _of_attempts(found: dict[str, Any]) -> str | None:
    attempts = found.get("attempts") or ()
    numbers = [each["number"] for each in attempts]
    if numbers != list(range(1, len(numbers) + 1)):
        return f"the attempts are numbered {numbers}"
    tokens = [each.get("token", 0) for each in attempts]
    if any(early >= late for early, late in itertools.pairwise(tokens)):
        return f"the tokens of the attempts do not grow: {tokens}"
    if any(each.get("outcome") is None for each in attempts[:-1]):
        return "an attempt that is not the last one has no outcome"
    if found.get("phase") in ENDED and attempts and attempts[-1].get("outcome") is None:
        return f"the Job is {found['phase']} and its last attempt has no outcome"
    return None


def ended_stays_ended(before: Any, after: Any) -> str | None:
    """An end is for good, and so is every edge and every outcome."""
    if before.job.status is after.job.status or before.job.status == after.job.status:
        return None
    was, is_now = json.loads(before.job.status), json.loads(after.job.status)
    edges, kept = was.get("transitions") or [], is_now.get("transitions") or []
    if kept[: len(edges)] != edges:
        return "an edge of the history was rewritten"
    if was.get("phase") in ENDED and kept != edges:
        return f"the Job was {was['phase']} and went on to {is_now.get('phase')}"
    ends = [
        (each["number"], each["outcome"])
        for each in was.get("attempts") or ()
        if each.get("outcome")
    ]
    stand = {each["number"]: each.get("outcome") for each in is_now.get("attempts") or ()}
    rewritten = [number for number, outcome in ends if stand.get(number) != outcome]
    return f"the outcome of attempt {rewritten[0]} was rewritten" if rewritten else None


def closed_stays_closed(before: Any, after: Any) -> str | None:
    """A run that was closed accepts nothing again, and its claim never changes hands."""
    for number, (was, is_now) in enumerate(zip(before.rows, after.rows, strict=False), start=1):
        if was is is_now or was is None:
            continue
        if is_now is None or (was.closed is not None and is_now != was):
            return f"the closed run of attempt {number} changed"
        if was.pod_uid not in (None, is_now.pod_uid):
            return f"the claim of attempt {number} changed hands"
    return None


def the_former_pod_is_gone(before: Any, after: Any) -> str | None:
    """The pod of an attempt that may work is made when no other pod of the Job that worked still runs."""
    new = [pod for pod in after.pods if pod.uid not in {each.uid for each in before.pods}]
    owners = {row.pod_uid for row in before.rows if row is not None}
    for pod in new:
        row = before.rows[pod.attempt - 1]
        is_void = row.closed is not None or row.pod_uid is not None
        acting = [each.uid for each in before.pods if not each.is_over and each.uid in owners]
        if acting and not is_void:
            return f"{pod.uid} is made while {acting[0]} runs"
    return None


def its_runs_are_closed(before: Any, after: Any) -> str | None:
    """Who ends a Job has closed every run of it."""
    rows = enumerate(after.rows, start=1) if _ends(before, after) else ()
    left = [number for number, row in rows if row is not None and row.closed is None]
    return f"the Job ended and leaves the run of attempt {left[0]} open" if left else None


def closed_is_told(before: Any, after: Any) -> str | None:
    """Who ends a Job tells of each attempt whose run was closed."""
    if not _ends(before, after):
        return None
    told = {each["number"] for each in json.loads(after.job.status).get("attempts") or ()}
    rows = enumerate(after.rows, start=1)
    untold = [number for number, row in rows if row and row.closed and number not in told]
    return f"the Job ended and tells nothing of attempt {untold[0]}" if untold else None


def _ends(before: Any, after: Any) -> bool:
    """Whether this step ends the Job, by whom nobody can have overtaken."""
    is_late = before.former is not None or before.in_flight is not None
    is_same = before.job.status == after.job.status
    return not is_late and not is_same and _has_ended(after) and not _has_ended(before)


def _has_ended(state: Any) -> bool:
    return forms.phase_of(state.job.status) in ENDED


OF_STEPS: tuple[Callable[[Any, Any], str | None], ...] = (
    ended_stays_ended,
    closed_stays_closed,
    the_former_pod_is_gone,
    its_runs_are_closed,
    closed_is_told,
)
