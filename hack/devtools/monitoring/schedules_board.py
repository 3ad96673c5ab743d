"""When Jobs are made, and by what from outside."""

from devtools.monitoring.panels import Board, Panel, Query, Row, per_minute, quantile, spread

_LATE, _WAIT = "coxswain_tick_lateness_seconds", "coxswain_lease_wait_seconds"
_PROMPT = ', overlap=~"Skip|AllowAll"'

SCHEDULES = Board(
    "schedules",
    "Schedules and leases",
    "Ticks and how late they are, leases and who waits for them, what fires from outside.",
    (
        Row(
            "Ticks",
            (
                Panel(
                    "Ticks, per minute",
                    "By what came of them, and why. Missed is never meant.",
                    (
                        Query(
                            per_minute("coxswain_ticks_total", "outcome, reason"),
                            "{{outcome}} {{reason}}",
                        ),
                    ),
                ),
                Panel(
                    "Lateness",
                    "From due to its Job, where no tick waits for another Job: the platform's own.",
                    (
                        Query(quantile(0.5, _LATE, chosen=_PROMPT), "p50"),
                        Query(quantile(0.99, _LATE, chosen=_PROMPT), "p99"),
                    ),
                    "s",
                    limits=(10, 60),
                ),
                Panel(
                    "Open ticks",
                    "Without a Job, whose Job is being made, whose Job runs.",
                    (Query("sum by (state) (coxswain_ticks_open{@})", "{{state}}"),),
                    kind="stack",
                ),
                Panel(
                    "Schedules by phase",
                    "Objects that are there now.",
                    (Query("sum by (phase) (coxswain_schedules{@})", "{{phase}}"),),
                    kind="stack",
                    width=24,
                ),
            ),
        ),
        Row(
            "Leases",
            (
                Panel(
                    "Leases by state",
                    "Quarantined ones wait for a person.",
                    (Query("sum by (state) (coxswain_leases{@})", "{{state}}"),),
                    kind="stack",
                ),
                Panel(
                    "Changes, per minute",
                    "Acquired are the hand-overs.",
                    (Query(per_minute("coxswain_lease_changes_total", "change"), "{{change}}"),),
                ),
                Panel(
                    "In line",
                    "Holders that wait, and Jobs that wait for a lease.",
                    (
                        Query("sum(coxswain_lease_waiters{@})", "holders"),
                        Query('sum(coxswain_jobs_held_back{@, condition="LeaseHeld"})', "Jobs"),
                    ),
                ),
                Panel(
                    "Time in line",
                    "Of requests that waited, until they were given the lease.",
                    (
                        Query(quantile(0.5, _WAIT, chosen=', outcome="given"'), "p50"),
                        Query(quantile(0.99, _WAIT, chosen=', outcome="given"'), "p99"),
                    ),
                    "s",
                    width=12,
                ),
                Panel(
                    "From a lease's end to its reclaim",
                    "Of leases that were not renewed.",
                    spread("coxswain_lease_reclaim_seconds"),
                    "s",
                    limits=(1, 2),
                    width=12,
                ),
            ),
        ),
        Row(
            "From outside",
            (
                Panel(
                    "Webhooks, per minute",
                    "Taken, repeated, or why they were refused.",
                    (
                        Query(
                            per_minute("coxswain_webhooks_total", "outcome"),
                            "{{outcome}}",
                            sparse=True,
                        ),
                    ),
                    width=12,
                ),
                Panel(
                    "Looks at pages, per minute",
                    "Changed, unchanged, or why one failed.",
                    (
                        Query(
                            per_minute("coxswain_polls_total", "outcome"),
                            "{{outcome}}",
                            sparse=True,
                        ),
                    ),
                    width=12,
                ),
                Panel(
                    "Deliveries that wait",
                    "Webhooks and changed pages that are recorded and not handled.",
                    (Query("sum(coxswain_triggers_waiting{@})", "waiting"),),
                    limits=(1,),
                    width=24,
                ),
            ),
        ),
    ),
)
