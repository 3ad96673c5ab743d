"""Attempts are numbered 1, 2, 3 ... in each Job's status; none goes away, and no more count than may.

A person who looks at a Job in Review may grant one more.
"""

from collections.abc import Iterator
from itertools import pairwise

from tests.faults.history import Body, Breach, History

KEPT = 32


def breaches(history: History) -> Iterator[Breach]:
    """At each revision of a Job."""
    for change in history.of_kind("Job"):
        if change.after is None:
            continue
        before, after = _numbers(change.before), _numbers(change.after)
        first = after[0] if after else 1
        if after != list(range(first, first + len(after))) or (first > 1 and len(after) < KEPT):
            yield Breach(change.revision, f"{change.name} has attempts {after}")
        elif before and before[-1] > (after[-1] if after else 0):
            yield Breach(change.revision, f"{change.name} had attempts {before} and has {after}")
        spec, status = change.after["spec"], change.after.get("status") or {}
        most = int((spec.get("retry") or {}).get("maxAttempts", 1)) + _granted(status)
        if int(status.get("attemptsUsed", 0)) > most:
            yield Breach(
                change.revision, f"{change.name} used {status['attemptsUsed']} attempts of {most}"
            )


def _granted(status: Body) -> int:
    phases = [each["phase"] for each in status.get("transitions", ())]
    return sum(each == ("Review", "Queued") for each in pairwise(phases))


def _numbers(job: Body | None) -> list[int]:
    status = (job or {}).get("status") or {}
    return [int(each["number"]) for each in status.get("attempts", ())]
