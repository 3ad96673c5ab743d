"""What is measured of live streams and of what models say while they say it."""

from prometheus_client import Counter, Gauge

from coxswain.telemetry.metrics import REGISTRY

LONG_POLLS_WAITING = Gauge(
    "coxswain_long_polls_waiting",
    "Requests for a page that wait for an event now; each counts as a stream too.",
    registry=REGISTRY,
)
EVENTS_SENT = Counter(
    "coxswain_stream_events_total", "Events written to live streams.", registry=REGISTRY
)
WRITES = Counter(
    "coxswain_stream_writes_total",
    "Writes to live streams; while much happens, one takes many events.",
    registry=REGISTRY,
)
LAGGED = Counter(
    "coxswain_stream_lagged_total",
    "Streams that fell so far behind that they are read from the database again, and were told.",
    registry=REGISTRY,
)
ENDED = Counter(
    "coxswain_streams_ended_total",
    "Live streams that ended, by why: over, left, stalled, stopping, replaced, refused or failed.",
    ["reason"],
    registry=REGISTRY,
)
DELTAS_GIVEN = Counter(
    "coxswain_stream_deltas_total",
    "Pieces of what models say, by what became of them at a stream: given, or dropped as it was slow.",
    ["outcome"],
    registry=REGISTRY,
)
DELTAS_TOLD = Counter(
    "coxswain_model_deltas_total",
    "Pieces of what models say to Jobs that are watched: told to the API, or dropped.",
    ["outcome"],
    registry=REGISTRY,
)
for _reason in ("over", "left", "stalled", "stopping", "replaced", "refused", "failed"):
    ENDED.labels(_reason)
for _outcome in ("given", "dropped"):
    DELTAS_GIVEN.labels(_outcome)
for _outcome in ("told", "dropped"):
    DELTAS_TOLD.labels(_outcome)
