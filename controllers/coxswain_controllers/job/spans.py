"""A Job's life as spans, from its status: told once it has ended, by the times that stand there. Pure."""

from collections.abc import Iterator
from datetime import datetime

from coxswain.api import tracing
from coxswain.api.job import Attempt
from coxswain.api.kind import Job
from coxswain.reconcile.cache import Raw
from coxswain.telemetry.traces import Ended

SUCCEEDED = "Succeeded"


def of(raw: Raw) -> Iterator[Ended]:
    """The whole, and each attempt as an agent that is invoked (OpenTelemetry's GenAI conventions)."""
    job = Job.parse(raw)
    ended = job.status.finished_at
    if ended is None:
        return
    place = tracing.of_job(raw["metadata"])
    about = {"coxswain.workspace": job.metadata.namespace, "coxswain.job": job.metadata.name}
    phase = job.status.phase or ""
    yield Ended(
        "job",
        place,
        _created(raw),
        ended,
        {**about, "coxswain.job.phase": phase},
        "" if phase == SUCCEEDED else phase,
    )
    agent = job.spec.agent_ref.name
    for attempt in job.status.attempts:
        if attempt.started_at is not None and attempt.finished_at is not None:
            times = attempt.started_at, attempt.finished_at
            yield _of_attempt(attempt, times, place, agent, about)


def _of_attempt(
    attempt: Attempt,
    times: tuple[datetime, datetime],
    job: tracing.Place,
    agent: str,
    about: dict[str, str],
) -> Ended:
    named: dict[str, str | int] = {
        **about,
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": agent,
        "coxswain.attempt": attempt.number,
    }
    failed = "" if attempt.outcome == SUCCEEDED else attempt.reason or attempt.outcome or ""
    place = tracing.of_attempt(job, attempt.number)
    return Ended(f"invoke_agent {agent}", place, *times, named, failed)


def _created(raw: Raw) -> datetime:
    return datetime.fromisoformat(str(raw["metadata"]["creationTimestamp"]))
