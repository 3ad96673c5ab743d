"""What a status of a Job says that its former one did not, as spans: once it is written, and so once.

Their ids are hashes and their times stand in the status, so whoever tells of one again tells of the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from coxswain.api import tracing
from coxswain.api.job import TERMINAL, JobPhase
from coxswain.api.tracing import Place
from coxswain.reconcile import instants
from coxswain.reconcile.cache import Raw
from coxswain.telemetry.traces import Ended

PROVIDER = "coxswain"
"""Who runs agents, in the words of OpenTelemetry's conventions for GenAI."""


def place(raw: Raw) -> Place:
    """The span of a Job's whole life."""
    metadata = raw["metadata"]
    return tracing.of_job(metadata["uid"], metadata.get("annotations") or {})


def of(before: Raw, after: Raw, pods: Iterable[Raw]) -> Iterator[Ended]:
    """Starts of pods, attempts and the end that ``after`` tells first; ``pods`` are those of the Job."""
    old, new = before.get("status") or {}, after["status"]
    known = {each["number"]: each for each in old.get("attempts") or ()}
    made = {pod["metadata"]["name"]: pod["metadata"]["creationTimestamp"] for pod in pods}
    for attempt in new.get("attempts") or ():
        former = known.get(attempt["number"], {})
        if _has(attempt, "startedAt") and not _has(former, "startedAt"):
            yield from _start(after, attempt, (made.get(attempt["podName"]), attempt["startedAt"]))
        if _has(attempt, "finishedAt") and not _has(former, "finishedAt"):
            yield from _attempt(after, attempt, made.get(attempt["podName"]))
    if new.get("phase") in TERMINAL and old.get("phase") not in TERMINAL:
        yield from _whole(after)


def _has(attempt: Mapping[str, Any], name: str) -> bool:
    return attempt.get(name) is not None


def _whole(raw: Raw) -> Iterator[Ended]:
    status, created = raw["status"], raw["metadata"]["creationTimestamp"]
    phase = str(status["phase"])
    last = (status.get("transitions") or [{}])[-1]
    error = "" if phase == JobPhase.SUCCEEDED else last.get("reason") or phase
    about = _about(raw) | {"coxswain.job.phase": phase}
    times = created, status.get("finishedAt")
    yield from _ended("job", place(raw), times, about, error)


def _start(
    raw: Raw, attempt: Mapping[str, Any], times: tuple[str | None, str | None], error: str = ""
) -> Iterator[Ended]:
    where = tracing.of_start(place(raw), attempt["number"])
    yield from _ended("start pod", where, times, _of_attempt(raw, attempt), error)


def _attempt(raw: Raw, attempt: Mapping[str, Any], created: str | None) -> Iterator[Ended]:
    """An attempt that ran, as an agent that is invoked; of one whose pod never ran, that start."""
    outcome = attempt.get("outcome") or ""
    error = "" if outcome == JobPhase.SUCCEEDED else attempt.get("reason") or outcome
    if not _has(attempt, "startedAt"):
        yield from _start(raw, attempt, (created, attempt["finishedAt"]), error)
        return
    agent = raw["spec"]["agentRef"]["name"]
    about = _of_attempt(raw, attempt) | {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": PROVIDER,
        "gen_ai.agent.name": agent,
    }
    where = tracing.of_attempt(place(raw), attempt["number"])
    times = attempt["startedAt"], attempt["finishedAt"]
    yield from _ended(f"invoke_agent {agent}", where, times, about, error)


def _about(raw: Raw) -> dict[str, str | int]:
    metadata = raw["metadata"]
    return {
        "coxswain.workspace": metadata["namespace"],
        "coxswain.job.name": metadata["name"],
        "coxswain.job.uid": metadata["uid"],
    }


def _of_attempt(raw: Raw, attempt: Mapping[str, Any]) -> dict[str, str | int]:
    told = {"coxswain.attempt": attempt["number"], "coxswain.pod.name": attempt["podName"]}
    return _about(raw) | told


def _ended(
    name: str,
    where: Place,
    times: tuple[str | None, str | None],
    about: Mapping[str, str | int],
    error: str = "",
) -> Iterator[Ended]:
    """Nothing where a time is not known."""
    began, ended = (_instant(each) for each in times)
    if began is not None and ended is not None:
        yield Ended(name, where, began, ended, about, error)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else instants.read(text)
