"""Every metric of every process, in one place. Names: coxswain_<thing>_<unit>, counters _total.

Labels come from closed sets: never a job, pod, run or person. A dashboard or alert may only use
what stands here.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


def text() -> bytes:
    """All of them in the text format of Prometheus."""
    return generate_latest(REGISTRY)


# Shared web layer.
HTTP_REQUEST_SECONDS = Histogram(
    "coxswain_http_request_seconds",
    "Time to answer a request; of a stream, to its end.",
    ["server", "route", "method", "status"],
    buckets=FAST,
    registry=REGISTRY,
)
DEPENDENCY_UP = Gauge(
    "coxswain_dependency_up",
    "1 while the dependency answers, by the readiness check of that name.",
    ["dependency"],
    registry=REGISTRY,
)

# Store.
EVENTS_APPENDED = Counter(
    "coxswain_events_appended_total",
    "Events that got a position in the log through this process.",
    registry=REGISTRY,
)
STORE_RETRIES = Counter(
    "coxswain_store_retries_total",
    "Statements that were sent again after a lost connection or a conflict of transactions.",
    registry=REGISTRY,
)

# Identity.
TOKEN_REFUSALS = Counter(
    "coxswain_token_refusals_total",
    "Requests without a valid identity, by the reason's code.",
    ["code"],
    registry=REGISTRY,
)
KEY_FETCHES = Counter(
    "coxswain_issuer_key_fetches_total",
    "Fetches of the cluster's token keys, by outcome.",
    ["outcome"],
    registry=REGISTRY,
)

# Sidecar.
STREAMS_OPEN = Gauge(
    "coxswain_streams_open",
    "Live event streams that this process serves now.",
    registry=REGISTRY,
)
STREAM_RESYNCS = Counter(
    "coxswain_stream_resyncs_total",
    "Streams told to read again: they fell behind or asked for a dropped position.",
    registry=REGISTRY,
)
