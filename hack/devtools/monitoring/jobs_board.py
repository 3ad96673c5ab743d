"""Jobs from their making to their end, and what they wait for."""

from devtools.monitoring.panels import Board, Panel, Query, Row, per_minute, quantile, spread

_PLACE = '{@, workspace=~"$workspace"}'

JOBS = Board(
    "jobs",
    "Jobs and queues",
    "What Jobs wait for, how long they take, how they end.",
    (
        Row(
            "Waiting",
            (
                Panel(
                    "Held back, by condition",
                    "Queued Jobs by the condition that they wait for.",
                    (Query("sum by (condition) (coxswain_jobs_held_back{@})", "{{condition}}"),),
                    kind="stack",
                ),
                Panel(
                    "Longest wait, by condition",
                    "Of those that wait now. Suspended and Approved wait for people.",
                    (
                        Query(
                            "max by (condition) (coxswain_jobs_held_back_oldest_seconds{@})",
                            "{{condition}}",
                        ),
                    ),
                    "s",
                ),
                Panel(
                    "Time in a condition",
                    "The 90th percentile of waits that are over.",
                    (
                        Query(
                            quantile(0.9, "coxswain_job_condition_seconds", "condition"),
                            "{{condition}}",
                            sparse=True,
                        ),
                    ),
                    "s",
                ),
                Panel(
                    "In line",
                    "Jobs that wait for a slot or a quota.",
                    (
                        Query(
                            f"sum by (workspace, queue) (coxswain_jobs_waiting{_PLACE})",
                            "{{workspace}} {{queue}}",
                            sparse=True,
                        ),
                    ),
                    kind="stack",
                ),
                Panel(
                    "Slots in use",
                    "Jobs whose pod runs or is about to be made.",
                    (
                        Query(
                            f"sum by (workspace, queue) (coxswain_jobs_holding_slots{_PLACE})",
                            "{{workspace}} {{queue}}",
                            sparse=True,
                        ),
                    ),
                    kind="stack",
                ),
                Panel(
                    "From creation to the first running pod",
                    "With all that a Job waits for on the way.",
                    spread("coxswain_job_queue_wait_seconds"),
                    "s",
                ),
            ),
        ),
        Row(
            "Running",
            (
                Panel(
                    "From a pod's making to its running",
                    "What nodes and images take: node, pull, volumes.",
                    spread("coxswain_attempt_start_seconds"),
                    "s",
                    limits=(30, 60),
                ),
                Panel(
                    "Time of an attempt",
                    "From a running pod to its end, by outcome.",
                    spread("coxswain_attempt_seconds", "outcome"),
                    "s",
                ),
                Panel(
                    "Jobs by phase",
                    "Objects that are there now.",
                    (Query(f"sum by (phase) (coxswain_jobs{_PLACE})", "{{phase}}"),),
                    kind="stack",
                ),
            ),
        ),
        Row(
            "Ends",
            (
                Panel(
                    "Jobs that ended, per minute",
                    "By phase.",
                    (Query(per_minute("coxswain_jobs_ended_total", "phase"), "{{phase}}"),),
                ),
                Panel(
                    "Why Jobs failed, per minute",
                    "By reason; docs/errors.md has each.",
                    (
                        Query(
                            per_minute("coxswain_jobs_ended_total", "reason", ', phase="Failed"')
                            + " > 0",
                            "{{reason}}",
                            sparse=True,
                        ),
                    ),
                    kind="stack",
                ),
                Panel(
                    "Attempts that ended, per minute",
                    "Lost: the pod went away through no fault of its own.",
                    (Query(per_minute("coxswain_attempts_total", "outcome"), "{{outcome}}"),),
                ),
            ),
        ),
    ),
)
