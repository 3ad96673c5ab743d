"""Alerts about Jobs and the Agents that do them."""

from coxswain.rules import alerting
from devtools.monitoring.alerts import Alert

_ENDED = "sum(increase(coxswain_jobs_ended_total{@, phase=~%r}[@windowSeconds@s]))"
_FAILED, _ALL = _ENDED.replace("%r", '"Failed"'), _ENDED.replace("%r", '"Succeeded|Failed"')

JOBS = (
    Alert(
        "QueueStalled",
        "max by (condition) (coxswain_jobs_held_back_oldest_seconds{@,"
        f' condition=~"{"|".join(alerting.STALLING)}"}}) > @queueStalledSeconds@',
        "0m",
        "warning",
        "A Job waits too long for its turn.",
        "One has waited for {{ $labels.condition }} for {{ $value | humanizeDuration }}.",
    ),
    Alert(
        "HighFailureRate",
        f"100 * {_FAILED} / {_ALL} > @failureRatePercent@ and {_ALL} >= @failureRateMinimum@",
        "0m",
        "warning",
        "Many Jobs fail.",
        "{{ $value | humanize }} percent of the Jobs that ended lately failed.",
    ),
    Alert(
        "JobsInReview",
        'sum(coxswain_jobs{@, phase="Review"}) > 0',
        "1h",
        "info",
        "Jobs wait for a person's decision.",
        "{{ $value }} Jobs are in Review: nobody but a person can say what follows.",
    ),
    Alert(
        "ApprovalsWaiting",
        'coxswain_jobs_held_back_oldest_seconds{@, condition="Approved"} > 14400',
        "0m",
        "info",
        "A Job waits long for people to agree.",
        "It has waited for {{ $value | humanizeDuration }}.",
    ),
    Alert(
        "SandboxMissing",
        'sum(coxswain_jobs_held_back{@, condition="SandboxReady"}) > 0',
        "10m",
        "warning",
        "A workspace lacks what a sandbox needs.",
        "{{ $value }} Jobs cannot start: an account, a quota, a policy or a label of their workspace is missing.",
    ),
    Alert(
        "AgentsNotReady",
        'sum(coxswain_jobs_held_back{@, condition="AgentReady"}) > 0',
        "15m",
        "warning",
        "Jobs wait for an Agent that is not ready.",
        "{{ $value }} Jobs wait: their Agent is missing, or its models cannot be used.",
    ),
    Alert(
        "AttemptsLost",
        'sum(increase(coxswain_attempts_total{@, outcome="Lost"}[30m])) > 5',
        "0m",
        "warning",
        "Pods of agents go away.",
        "{{ $value | humanize }} attempts were lost within half an hour through no fault of their own.",
    ),
    Alert(
        "AttemptsOutOfResources",
        "sum by (reason)"
        ' (increase(coxswain_attempts_total{@, reason=~"OutOfMemory|Evicted|Unschedulable"}[1h])) > 3',
        "0m",
        "warning",
        "Attempts lack memory, disk or a node.",
        "{{ $value | humanize }} attempts ended with {{ $labels.reason }} within an hour.",
    ),
)
