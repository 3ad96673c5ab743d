"""At the end no pod and no open run is left whose Job is gone, and none that lives although its Job has ended."""

from collections.abc import Iterator

from coxswain.api.job import TERMINAL
from tests.faults.history import Breach, History, attempt_of, is_live


def breaches(history: History) -> Iterator[Breach]:
    """At the end."""
    left = history.left
    for pod in left.values():
        attempt = attempt_of(pod) if pod.get("kind") == "Pod" else None
        if attempt is None:
            continue
        name, job = pod["metadata"]["name"], left.get(attempt[0])
        if job is None:
            yield Breach(0, f"{name} is left, and its Job is gone")
        elif is_live(pod) and (job.get("status") or {}).get("phase") in TERMINAL:
            yield Breach(0, f"{name} lives, and its Job is {job['status']['phase']}")
    for run in history.runs:
        # Of a Job that the history tells of: others are of no interest here.
        job = history.last.get(run.key.job_uid)
        if run.closed_at is not None or job is None:
            continue
        what = f"the run {run.pod_name} is open"
        if run.key.job_uid not in left:
            yield Breach(0, f"{what}, and its Job is gone")
        elif (job.get("status") or {}).get("phase") in TERMINAL:
            yield Breach(0, f"{what}, and its Job is {job['status']['phase']}")
