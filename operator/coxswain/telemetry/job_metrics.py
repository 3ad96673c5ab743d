"""What is measured of Jobs: how many are where, what they wait for, and what came of them.

Counted by the leading operator alone, once a status that says so is written.
"""

from prometheus_client import Counter, Gauge, Histogram

from coxswain.rules import failures
from coxswain.telemetry.few import OTHER
from coxswain.telemetry.metrics import REGISTRY

WAITS = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0)
STARTS = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 900.0)
NEVER_SECONDS = 2 * STARTS[-1]
"""What an attempt counts whose pod was given up before it ran, however soon: more than every bound."""
RUNS = (1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0)
OUTCOMES = ("Succeeded", "Failed", "Cancelled", "Lost")
ENDS = ("Succeeded", "Failed", "Cancelled")
REASONS = {
    "Failed": (*failures.TABLE, OTHER),
    "Lost": (*(each.code for each in failures.TABLE.values() if not each.uses_attempt), OTHER),
}

JOBS = Gauge(
    "coxswain_jobs",
    "Jobs by phase; workspaces beyond the first many are 'other'.",
    ["workspace", "phase"],
    registry=REGISTRY,
)
JOBS_WAITING = Gauge(
    "coxswain_jobs_waiting",
    "Jobs that wait for a slot or a quota; workspaces and queues beyond the first many are 'other'.",
    ["workspace", "queue"],
    registry=REGISTRY,
)
JOBS_HOLDING = Gauge(
    "coxswain_jobs_holding_slots",
    "Jobs that hold a slot: their pod runs or is about to be made; labels as of the waiting ones.",
    ["workspace", "queue"],
    registry=REGISTRY,
)
JOBS_HELD_BACK = Gauge(
    "coxswain_jobs_held_back",
    "Queued Jobs by the condition that they wait for; those of a suspended Agent count as Suspended.",
    ["condition"],
    registry=REGISTRY,
)
HELD_BACK_SECONDS = Gauge(
    "coxswain_jobs_held_back_oldest_seconds",
    "How long that condition has held back the one that it holds back longest.",
    ["condition"],
    registry=REGISTRY,
)
WAIT_SECONDS = Histogram(
    "coxswain_job_condition_seconds",
    "How long a Job waited for a condition, counted when it waits for it no more.",
    ["condition"],
    buckets=WAITS,
    registry=REGISTRY,
)
QUEUE_WAIT_SECONDS = Histogram(
    "coxswain_job_queue_wait_seconds",
    "From a Job's creation to its first running pod.",
    buckets=(0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0),
    registry=REGISTRY,
)
JOBS_ENDED = Counter(
    "coxswain_jobs_ended_total",
    "Jobs that ended, by phase and reason; a program's own words are 'other'.",
    ["phase", "reason"],
    registry=REGISTRY,
)
ATTEMPTS = Counter(
    "coxswain_attempts_total",
    "Attempts that ended, by outcome and reason; a program's own words are 'other'.",
    ["outcome", "reason"],
    registry=REGISTRY,
)
START_SECONDS = Histogram(
    "coxswain_attempt_start_seconds",
    "From the making of an attempt's pod to its running; one that was given up before counts as 1800.",
    buckets=STARTS,
    registry=REGISTRY,
)
ATTEMPT_SECONDS = Histogram(
    "coxswain_attempt_seconds",
    "From a running pod to the end of its attempt.",
    ["outcome"],
    buckets=RUNS,
    registry=REGISTRY,
)
# There from the start, at zero: Prometheus cannot see the first step of a series that appears with it.
for _outcome in OUTCOMES:
    ATTEMPT_SECONDS.labels(_outcome)
    for _reason in ("", *REASONS.get(_outcome, ())):
        ATTEMPTS.labels(_outcome, _reason)
for _phase in ENDS:
    for _reason in ("", *REASONS.get(_phase, ())):
        JOBS_ENDED.labels(_phase, _reason)
