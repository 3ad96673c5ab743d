"""The operator's loop: who leads, what passes cost, what waits."""

from devtools.monitoring.panels import Board, Panel, Query, Row, per_minute, per_second, quantile

_PASSES = "coxswain_reconcile_seconds"

LOOP = Board(
    "loop",
    "Operator's loop",
    "Passes, the work queue, the API server, and what is recorded.",
    (
        Row(
            "Passes",
            (
                Panel(
                    "Passes, per second",
                    "By kind.",
                    (Query(per_second(f"{_PASSES}_count", "kind"), "{{kind}}"),),
                ),
                Panel(
                    "Time of a pass",
                    "The 99th percentile by kind.",
                    (Query(quantile(0.99, _PASSES, "kind"), "{{kind}}"),),
                    "s",
                    limits=(0.5, 1),
                ),
                Panel(
                    "Passes that failed, per minute",
                    "By kind and code; each is repeated.",
                    (
                        Query(
                            per_minute("coxswain_reconcile_errors_total", "kind, code"),
                            "{{kind}} {{code}}",
                            sparse=True,
                        ),
                    ),
                ),
                Panel(
                    "Work queue",
                    "Objects that wait for a pass, and passes under way.",
                    (
                        Query("sum(coxswain_work_queue_keys{@})", "waiting"),
                        Query("sum(coxswain_work_queue_workers_busy{@})", "busy"),
                        Query("max(coxswain_work_queue_workers_max{@})", "workers"),
                    ),
                ),
                Panel(
                    "Oldest in the work queue",
                    "How long it has waited.",
                    (Query("max(coxswain_work_queue_oldest_seconds{@})", "oldest"),),
                    "s",
                    limits=(10, 60),
                ),
                Panel(
                    "Event loop lag",
                    "How late a timer of a second was. At ten seconds a leader loses its lease.",
                    (Query("max by (pod) (coxswain_event_loop_lag_seconds{@})", "{{pod}}"),),
                    "s",
                    limits=(0.5, 1),
                ),
            ),
        ),
        Row(
            "API server",
            (
                Panel(
                    "Calls, per second",
                    "By method and class of answer; none: there was no answer.",
                    (
                        Query(
                            per_second("coxswain_kube_request_seconds_count", "method, status"),
                            "{{method}} {{status}}",
                        ),
                    ),
                ),
                Panel(
                    "Time of a call",
                    "Until its answer begins, the 99th percentile by method.",
                    (
                        Query(
                            quantile(0.99, "coxswain_kube_request_seconds", "method"), "{{method}}"
                        ),
                    ),
                    "s",
                    limits=(0.5, 2),
                ),
                Panel(
                    "Status writes, per second",
                    "By kind.",
                    (Query(per_second("coxswain_status_writes_total", "kind"), "{{kind}}"),),
                ),
            ),
        ),
        Row(
            "Repairs and records",
            (
                Panel(
                    "Leaders",
                    "One, always.",
                    (Query("sum(coxswain_leader{@})"),),
                    kind="number",
                    width=6,
                ),
                Panel(
                    "Repaired by sweeps, last hour",
                    "What no event had told. Not zero: look why.",
                    (Query("sum(increase(coxswain_sweep_repairs_total{@}[1h]))"),),
                    kind="number",
                    limits=(1, 10),
                    width=6,
                ),
                Panel(
                    "Since the last sweep",
                    "One is due each minute.",
                    (
                        Query(
                            "time() - max(coxswain_last_sweep_timestamp_seconds{@} > 0)",
                            sparse=True,
                        ),
                    ),
                    "s",
                    "number",
                    (180, 600),
                    6,
                ),
                Panel(
                    "Workspaces lost",
                    "May not be read any more; the others go on.",
                    (
                        Query(
                            "sum by (workspace) (coxswain_workspaces_lost{@})",
                            "{{workspace}}",
                            sparse=True,
                        ),
                    ),
                    kind="number",
                    limits=(1, 2),
                    width=6,
                ),
                Panel(
                    "Events not taken in, last hour",
                    "The log names each.",
                    (Query("sum(increase(coxswain_events_not_taken_total{@}[1h]))"),),
                    kind="number",
                    limits=(1,),
                    width=8,
                ),
                Panel(
                    "Records that wait",
                    "Objects whose rows and events are not in Postgres yet.",
                    (Query("sum(coxswain_records_waiting{@})"),),
                    kind="number",
                    limits=(200, 1000),
                    width=8,
                ),
                Panel(
                    "Records refused, last hour",
                    "By the database. Never meant.",
                    (Query("sum(increase(coxswain_records_refused_total{@}[1h]))"),),
                    kind="number",
                    limits=(1,),
                    width=8,
                ),
                Panel(
                    "Records dropped, per minute",
                    "Their time was over.",
                    (
                        Query(
                            per_minute("coxswain_records_dropped_total", "kind"),
                            "{{kind}}",
                            sparse=True,
                        ),
                    ),
                    width=24,
                ),
            ),
        ),
    ),
)
