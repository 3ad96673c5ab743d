"""When Jobs are made, and by what from outside."""

from devtools.monitoring.panels import Board, Panel, Query, Row, per_minute, spread

SCHEDULES = Board(
    "schedules",
    "Schedules and leases",
    "Ticks and how late they are, what fires from outside.",
    (
        Row(
            "Ticks",
            (
                Panel(
                    "Ticks, per minute",
                    "By what came of them. Missed is never meant.",
                    (Query(per_minute("coxswain_ticks_total", "outcome"), "{{outcome}}"),),
                ),
                Panel(
                    "Lateness",
                    "From the time at which a tick is due to the making of its Job.",
                    spread("coxswain_tick_lateness_seconds", sparse=True),
                    "s",
                    limits=(10, 60),
                ),
                Panel(
                    "Leases that hold Jobs back",
                    "Jobs that wait for a lease.",
                    (Query('sum(coxswain_jobs_held_back{@, condition="LeaseHeld"})'),),
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
            ),
        ),
    ),
)
