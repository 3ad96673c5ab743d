"""Who asks the API, what the log takes in and gives out, and the Postgres behind both."""

from devtools.monitoring.panels import (
    Board,
    Panel,
    Query,
    Row,
    per_minute,
    per_second,
    quantile,
    spread,
)

_HTTP = "coxswain_http_request_seconds"

API = Board(
    "api",
    "API and event log",
    "Requests, identity, events, streams, and the Postgres behind them.",
    (
        Row(
            "Requests",
            (
                Panel(
                    "Requests, per second",
                    "By server and class of answer.",
                    (
                        Query(
                            per_second(f"{_HTTP}_count", "server, status"), "{{server}} {{status}}"
                        ),
                    ),
                ),
                Panel(
                    "Time to answer",
                    "The 99th percentile by server; a stream counts to its end.",
                    (Query(quantile(0.99, _HTTP, "server"), "{{server}}"),),
                    "s",
                ),
                Panel(
                    "Under way",
                    "Requests that are being answered, streams among them.",
                    (Query("sum by (server) (coxswain_http_requests_under_way{@})", "{{server}}"),),
                ),
                Panel(
                    "Busiest routes, per second",
                    "Ten of them.",
                    (
                        Query(
                            f"topk(10, {per_second(f'{_HTTP}_count', 'method, route')})",
                            "{{method}} {{route}}",
                        ),
                    ),
                ),
                Panel(
                    "Errors, per minute",
                    "Answers of 5xx by route: ours, or a dependency's.",
                    (
                        Query(
                            per_minute(f"{_HTTP}_count", "route", ', status="5xx"'),
                            "{{route}}",
                            sparse=True,
                        ),
                    ),
                    limits=(1,),
                ),
                Panel(
                    "Refused, per minute",
                    "Tokens by code, scanners, and who asks too often, too slowly or too many at a time.",
                    (
                        Query(
                            per_minute("coxswain_token_refusals_total", "code"),
                            "{{code}}",
                            sparse=True,
                        ),
                        Query(per_minute("coxswain_probes_dropped_total"), "scanners"),
                        Query(per_minute("coxswain_http_rate_limited_total"), "too often"),
                        Query(per_minute("coxswain_http_slow_bodies_total"), "too slow"),
                        Query(
                            per_minute("coxswain_http_connections_turned_away_total", "server"),
                            "too many at {{server}}",
                            sparse=True,
                        ),
                    ),
                ),
                Panel(
                    "Fetches of keys that sign tokens, per minute",
                    "By issuer (the cluster, and that of people) and outcome.",
                    (
                        Query(
                            per_minute("coxswain_issuer_key_fetches_total", "issuer, outcome"),
                            "{{issuer}} {{outcome}}",
                        ),
                    ),
                    width=24,
                ),
            ),
        ),
        Row(
            "Event log",
            (
                Panel(
                    "Events recorded, per second",
                    "Those that got a position.",
                    (Query(per_second("coxswain_events_appended_total"), "events"),),
                    width=12,
                ),
                Panel(
                    "Live streams",
                    "Open now, those of them that are waiting pages, and how many there may be, by replica.",
                    (
                        Query("coxswain_streams_open{@}", "{{pod}}"),
                        Query("coxswain_long_polls_waiting{@}", "pages {{pod}}", sparse=True),
                        Query('coxswain_streams_max{@, container="sidecar"}', "most", sparse=True),
                    ),
                    width=12,
                ),
                Panel(
                    "Lag of live streams",
                    "From the recording of an event to its writing.",
                    spread("coxswain_stream_lag_seconds"),
                    "s",
                    limits=(1, 5),
                    width=12,
                ),
                Panel(
                    "Streams told that they missed something or are slow, per minute",
                    "A resync: the position asked for was dropped. Lagged: read from the database again.",
                    (
                        Query(per_minute("coxswain_stream_resyncs_total"), "resyncs"),
                        Query(per_minute("coxswain_stream_lagged_total"), "lagged"),
                    ),
                    width=12,
                ),
                Panel(
                    "Streams that ended, per minute",
                    "By why. Stalled: the reader took nothing for half a minute.",
                    (
                        Query(
                            per_minute("coxswain_streams_ended_total", "reason"),
                            "{{reason}}",
                            sparse=True,
                        ),
                    ),
                    width=12,
                ),
                Panel(
                    "Events in a write to a stream",
                    "Over one where events come faster than they are read and go out together.",
                    (
                        Query(
                            f"{per_second('coxswain_stream_events_total')}"
                            f" / {per_second('coxswain_stream_writes_total')}",
                            "events",
                            sparse=True,
                        ),
                    ),
                    width=12,
                ),
                Panel(
                    "Pieces of what models say, per second",
                    "Written to streams of Jobs, and dropped as their readers are slow.",
                    (
                        Query(
                            per_second("coxswain_stream_deltas_total", "outcome"),
                            "{{outcome}}",
                            sparse=True,
                        ),
                    ),
                    width=24,
                ),
            ),
        ),
        Row(
            "Audit log",
            (
                Panel(
                    "Rows written, per minute",
                    "By outcome; those of events are written by the database and not counted here.",
                    (
                        Query(
                            per_minute("coxswain_audit_rows_total", "outcome"),
                            "{{outcome}}",
                            sparse=True,
                        ),
                    ),
                ),
                Panel(
                    "Sealed, per minute",
                    "Rows, and the seals over them.",
                    (
                        Query(per_minute("coxswain_audit_rows_sealed_total"), "rows"),
                        Query(per_minute("coxswain_audit_seals_total"), "seals"),
                    ),
                ),
                Panel(
                    "Rows that wait for a seal",
                    "As the leader counts them.",
                    (Query("max(coxswain_audit_unsealed_rows{@})", "rows"),),
                ),
                Panel(
                    "Age of the oldest of them",
                    "Nobody would find a change of these rows yet.",
                    (Query("max(coxswain_audit_unsealed_oldest_seconds{@})", "age"),),
                    "s",
                    limits=(300, 900),
                    width=12,
                ),
                Panel(
                    "Not written or not sealed, per minute",
                    "Rows that were lost, and seals that failed by code.",
                    (
                        Query(per_minute("coxswain_audit_rows_lost_total"), "lost"),
                        Query(
                            per_minute("coxswain_audit_seal_failures_total", "code"),
                            "{{code}}",
                            sparse=True,
                        ),
                    ),
                    limits=(1,),
                    width=12,
                ),
            ),
        ),
        Row(
            "Postgres",
            (
                Panel(
                    "Time of an operation",
                    "By container.",
                    (
                        Query(
                            quantile(0.99, "coxswain_store_operation_seconds", "container"),
                            "{{container}}",
                        ),
                    ),
                    "s",
                    limits=(0.1, 1),
                ),
                Panel(
                    "Connections in use",
                    "Share of those that a process may open.",
                    (
                        Query(
                            "coxswain_store_connections_in_use{@} / coxswain_store_connections_max{@}",
                            "{{pod}} {{container}}",
                        ),
                    ),
                    "percentunit",
                    limits=(0.7, 0.9),
                ),
                Panel(
                    "Wait for a connection",
                    "By container.",
                    (
                        Query(
                            quantile(0.99, "coxswain_store_connection_wait_seconds", "container"),
                            "{{container}}",
                        ),
                    ),
                    "s",
                ),
                Panel(
                    "Failures and repeats, per minute",
                    "Operations that failed in the end by code, and statements that were sent again.",
                    (
                        Query(
                            per_minute("coxswain_store_failures_total", "code"),
                            "{{code}}",
                            sparse=True,
                        ),
                        Query(per_minute("coxswain_store_retries_total"), "repeats"),
                    ),
                    width=12,
                ),
                Panel(
                    "Dependencies",
                    "1 while it answers, by the worst of all processes.",
                    (Query("min by (dependency) (coxswain_dependency_up{@})", "{{dependency}}"),),
                    width=12,
                ),
            ),
        ),
    ),
)
