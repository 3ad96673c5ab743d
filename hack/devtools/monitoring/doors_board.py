"""What goes out: agents at the web door, callbacks, files."""

from devtools.monitoring.panels import Board, Panel, Query, Row, per_minute, per_second, spread

DOORS = Board(
    "doors",
    "Web door, callbacks, files",
    "What agents reach, who is told of Jobs' ends, what the bucket holds.",
    (
        Row(
            "Web door",
            (
                Panel(
                    "Connections, per minute",
                    "By how they ended: done, or the code of a refusal or cut.",
                    (
                        Query(
                            per_minute("coxswain_egress_connections_total", "outcome"),
                            "{{outcome}}",
                            sparse=True,
                        ),
                    ),
                ),
                Panel(
                    "Bytes, per second",
                    "Of connections that have ended, as agents see them.",
                    (
                        Query(
                            per_second("coxswain_egress_bytes_total", "direction"),
                            "{{direction}}",
                            sparse=True,
                        ),
                    ),
                    "Bps",
                ),
                Panel(
                    "Open connections",
                    "Tunnels that are open now.",
                    (Query("sum(coxswain_egress_connections_open{@})", "open"),),
                ),
                Panel(
                    "Events of connections lost, last hour",
                    "Postgres was away for too long. Never meant.",
                    (Query("sum(increase(coxswain_egress_events_lost_total{@}[1h]))"),),
                    kind="number",
                    limits=(1,),
                    width=24,
                ),
            ),
        ),
        Row(
            "Callbacks",
            (
                Panel(
                    "Tries, per minute",
                    "Dead: all tries are used up.",
                    (Query(per_minute("coxswain_callbacks_total", "outcome"), "{{outcome}}"),),
                ),
                Panel(
                    "Owed",
                    "Neither delivered nor given up.",
                    (Query("max(coxswain_callbacks_pending{@})", "owed"),),
                ),
                Panel(
                    "Oldest that is owed",
                    "Since it was owed first.",
                    (Query("max(coxswain_callbacks_oldest_seconds{@})", "oldest"),),
                    "s",
                    limits=(600, 3600),
                ),
                Panel(
                    "Time of an exchange",
                    "With a receiver.",
                    spread("coxswain_callback_seconds"),
                    "s",
                    width=12,
                ),
                Panel(
                    "Objects of the bucket, per minute",
                    "Deleted since no file stood in them any more, and tries that failed.",
                    (
                        Query(per_minute("coxswain_bucket_objects_deleted_total"), "deleted"),
                        Query(per_minute("coxswain_bucket_objects_left_total"), "left"),
                    ),
                    width=12,
                ),
            ),
        ),
    ),
)
