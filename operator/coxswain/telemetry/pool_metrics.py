"""What is measured of what runs out: connections, workers, requests under way, and who waits for them."""

from prometheus_client import Counter, Gauge, Histogram

from coxswain.telemetry.metrics import FAST, REGISTRY

HTTP_UNDER_WAY = Gauge(
    "coxswain_http_requests_under_way",
    "Requests that are being answered now, streams included.",
    ["server"],
    registry=REGISTRY,
)
RATE_LIMITED = Counter(
    "coxswain_http_rate_limited_total",
    "Requests that were answered 429: their caller asked too often.",
    registry=REGISTRY,
)
CONNECTIONS_TURNED_AWAY = Counter(
    "coxswain_http_connections_turned_away_total",
    "Connections that were closed at once: as many as there may be were open.",
    ["server"],
    registry=REGISTRY,
)
SLOW_SENDERS = Counter(
    "coxswain_http_slow_bodies_total",
    "Requests that were answered 408: their body came too slowly.",
    registry=REGISTRY,
)
STORE_IN_USE = Gauge(
    "coxswain_store_connections_in_use",
    "Connections to Postgres that work for somebody now.",
    registry=REGISTRY,
)
STORE_MOST = Gauge(
    "coxswain_store_connections_max",
    "Connections to Postgres that this process may open.",
    registry=REGISTRY,
)
STORE_WAIT_SECONDS = Histogram(
    "coxswain_store_connection_wait_seconds",
    "How long an operation waited for a connection.",
    buckets=FAST,
    registry=REGISTRY,
)
STORE_SECONDS = Histogram(
    "coxswain_store_operation_seconds",
    "Time of an operation on Postgres, with its repeats and waits.",
    buckets=FAST,
    registry=REGISTRY,
)
STORE_FAILURES = Counter(
    "coxswain_store_failures_total",
    "Operations on Postgres that failed in the end, by the error's code.",
    ["code"],
    registry=REGISTRY,
)
KUBE_SECONDS = Histogram(
    "coxswain_kube_request_seconds",
    "Time until the API server's answer begins; status is none where there is no answer.",
    ["method", "status"],
    buckets=FAST,
    registry=REGISTRY,
)
STREAMS_MOST = Gauge(
    "coxswain_streams_max", "Live event streams that this process may serve.", registry=REGISTRY
)
STREAM_LAG_SECONDS = Histogram(
    "coxswain_stream_lag_seconds",
    "From the recording of an event to its writing to a live stream, by the newest of each write.",
    buckets=FAST,
    registry=REGISTRY,
)
WORKERS_BUSY = Gauge(
    "coxswain_work_queue_workers_busy", "Passes that are being made now.", registry=REGISTRY
)
WORKERS_MOST = Gauge(
    "coxswain_work_queue_workers_max",
    "Passes that may be made at the same time.",
    registry=REGISTRY,
)
WORKSPACES_LOST = Gauge(
    "coxswain_workspaces_lost",
    "1 for a workspace that may not be read any more, where workspaces are read one by one.",
    ["workspace"],
    registry=REGISTRY,
)
