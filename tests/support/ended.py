"""Jobs that have ended, as the API server would send them."""

from typing import Any

from coxswain.api.deliveries import NewDelivery
from coxswain.reconcile import outbox
from tests.support import builders

CREATED = "2026-11-21T03:00:00Z"
FINISHED = "2026-11-21T03:00:09.000001Z"
ANSWER = "zweiundvierzig, früher 41"
URL = "https://receiver.example/hook"


def job(name: str = "read", *, url: str | None = URL, signing: str | None = None) -> dict[str, Any]:
    """A Job that succeeded in its second attempt, and that somebody wants to hear of."""
    callback: dict[str, Any] = {"url": url}
    if signing is not None:
        callback["signing"] = {"name": signing}
    built = builders.job(name) if url is None else builders.job(name).with_spec(callback=callback)
    edges = [
        {"phase": "Queued", "at": CREATED},
        {"phase": "Running", "at": FINISHED, "attempt": 2},
        {"phase": "Succeeded", "at": FINISHED, "attempt": 2, "reason": "Answered"},
    ]
    ended = built.with_status(
        phase="Succeeded",
        transitions=edges,
        attempt=2,
        attemptsUsed=2,
        startedAt="2026-11-21T03:00:01Z",
        finishedAt=FINISHED,
        result={"answer": ANSWER, "truncated": False},
    )
    return ended.with_condition("Complete", "True", "Answered", "the agent answered").raw


def delivery(name: str = "read", *, url: str = URL, signing: str | None = None) -> NewDelivery:
    """What is owed for such a Job."""
    (owed,) = outbox.of("Job", job(name, url=url, signing=signing))
    return owed
