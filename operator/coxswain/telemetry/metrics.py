"""What is measured. Names: coxswain_<thing>_<unit>, counters _total.

Labels come from closed sets: never a job, pod, run or person. A dashboard or alert may only use
what stands here, in ``job_metrics`` and in ``pool_metrics``.
"""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.openmetrics import exposition as openmetrics

from coxswain import __version__

# Prometheus reads no times of creation from the text format, and they would double what it keeps.
disable_created_metrics()

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS = "application/openmetrics-text"


def text() -> bytes:
    """All of them in the text format of Prometheus."""
    return generate_latest(REGISTRY)


def page(accept: str) -> tuple[bytes, str]:
    """All of them and their content type: as OpenMetrics, with exemplars, for those who take that."""
    if OPEN_METRICS in accept:
        return openmetrics.generate_latest(REGISTRY), openmetrics.CONTENT_TYPE_LATEST
    return text(), CONTENT_TYPE


# Of every process.
BUILD = Gauge(
    "coxswain_build_info", "1; the label says which version runs.", ["version"], registry=REGISTRY
)
BUILD.labels(__version__).set(1)

# Shared web layer.
HTTP_REQUEST_SECONDS = Histogram(
    "coxswain_http_request_seconds",
    "Time to answer a request; of a stream, to its end.",
    ["server", "route", "method", "status"],
    buckets=FAST,
    registry=REGISTRY,
)
PROBES_DROPPED = Counter(
    "coxswain_probes_dropped_total",
    "Requests for dotfiles, keys or pages of other programs, dropped before any handler.",
    ["server"],
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

# The audit log.
AUDIT_ROWS = Counter(
    "coxswain_audit_rows_total",
    "Rows of the audit log that this process wrote; those of events are written by the database.",
    ["outcome"],
    registry=REGISTRY,
)
AUDIT_LOST = Counter(
    "coxswain_audit_rows_lost_total",
    "Ends and denials that could not be written to the audit log; the log names each. Not zero: look why.",
    registry=REGISTRY,
)
AUDIT_SEALS = Counter(
    "coxswain_audit_seals_total", "Seals over the audit log by this process.", registry=REGISTRY
)
AUDIT_ROWS_SEALED = Counter(
    "coxswain_audit_rows_sealed_total", "Rows that they cover.", registry=REGISTRY
)
AUDIT_SEAL_FAILURES = Counter(
    "coxswain_audit_seal_failures_total",
    "Seals that could not be made, by the error's code. audit_chain: somebody changed a seal.",
    ["code"],
    registry=REGISTRY,
)
AUDIT_UNSEALED = Gauge(
    "coxswain_audit_unsealed_rows", "Rows that wait for a seal.", registry=REGISTRY
)
AUDIT_UNSEALED_SECONDS = Gauge(
    "coxswain_audit_unsealed_oldest_seconds",
    "How long the oldest of them has waited.",
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
    "Fetches of keys that sign tokens, the cluster's or those of people's OIDC issuer, by outcome.",
    ["issuer", "outcome"],
    registry=REGISTRY,
)
for _issuer in ("cluster", "oidc"):
    for _outcome in ("ok", "failed"):
        KEY_FETCHES.labels(_issuer, _outcome)

# Sidecar.
STREAMS_OPEN = Gauge(
    "coxswain_streams_open",
    "Live event streams that this process serves now.",
    registry=REGISTRY,
)
STREAM_RESYNCS = Counter(
    "coxswain_stream_resyncs_total",
    "Streams told that the position they asked for was dropped.",
    registry=REGISTRY,
)

OBJECTS_DELETED = Counter(
    "coxswain_bucket_objects_deleted_total",
    "Objects of the bucket that no file stood in any more, deleted by this process.",
    registry=REGISTRY,
)
OBJECTS_LEFT = Counter(
    "coxswain_bucket_objects_left_total",
    "Tries to delete such an object that failed; it is tried again behind all others.",
    registry=REGISTRY,
)

# Operator.
LEADER = Gauge("coxswain_leader", "1 while this process leads.", registry=REGISTRY)
RECONCILE_SECONDS = Histogram(
    "coxswain_reconcile_seconds",
    "Time of one pass over one object.",
    ["kind"],
    buckets=FAST,
    registry=REGISTRY,
)
RECONCILE_ERRORS = Counter(
    "coxswain_reconcile_errors_total",
    "Passes that failed and are repeated, by the error's code.",
    ["kind", "code"],
    registry=REGISTRY,
)
EVENTS_NOT_TAKEN = Counter(
    "coxswain_events_not_taken_total",
    "Events of a watch that could not be taken in; the log names each. Not zero: look why.",
    ["kind"],
    registry=REGISTRY,
)
STATUS_WRITES = Counter(
    "coxswain_status_writes_total", "Writes of a status.", ["kind"], registry=REGISTRY
)
QUEUE_DEPTH = Gauge("coxswain_work_queue_keys", "Objects that wait for a pass.", registry=REGISTRY)
QUEUE_AGE_SECONDS = Gauge(
    "coxswain_work_queue_oldest_seconds",
    "How long the oldest of them has waited.",
    registry=REGISTRY,
)
RECORDS_WAITING = Gauge(
    "coxswain_records_waiting", "Objects whose records are not written yet.", registry=REGISTRY
)
RECORDS_REFUSED = Counter(
    "coxswain_records_refused_total",
    "Objects whose records the database refused; the log names each.",
    registry=REGISTRY,
)
RECORDS_DROPPED = Counter(
    "coxswain_records_dropped_total",
    "Records whose time was over: callbacks, files, ticks, objects, model calls, audit rows, days of events.",
    ["kind"],
    registry=REGISTRY,
)
SWEEP_REPAIRS = Counter(
    "coxswain_sweep_repairs_total",
    "Differences between cluster and memory that no event had told. Not zero: look why.",
    ["kind"],
    registry=REGISTRY,
)
SWEPT_AT = Gauge(
    "coxswain_last_sweep_timestamp_seconds",
    "When everything was last compared to its end; 0 before the first time.",
    registry=REGISTRY,
)
LOOP_LAG_SECONDS = Gauge(
    "coxswain_event_loop_lag_seconds", "How late the event loop's own timer was.", registry=REGISTRY
)

# Leases.
LEASES = Gauge(
    "coxswain_leases",
    "Leases by state, as the leading operator counts them in the records.",
    ["state"],
    registry=REGISTRY,
)
LEASE_WAITERS = Gauge(
    "coxswain_lease_waiters",
    "Holders that stand in the lines of leases, as the leading operator counts them.",
    registry=REGISTRY,
)
LEASE_CHANGES = Counter(
    "coxswain_lease_changes_total",
    "Changes of leases that this process wrote; acquired counts the hand-overs.",
    ["change"],
    registry=REGISTRY,
)
for _change in ("acquired", "released", "reclaimed", "quarantined", "recovered"):
    LEASE_CHANGES.labels(_change)
LEASE_RECLAIM_SECONDS = Histogram(
    "coxswain_lease_reclaim_seconds",
    "From the end of a lease that was not renewed to the operator's noting it.",
    buckets=(0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 60.0, 600.0),
    registry=REGISTRY,
)
LEASE_WAIT_SECONDS = Histogram(
    "coxswain_lease_wait_seconds",
    "Requests that would wait for a lease, to their answer: given, refused, or the caller was gone.",
    ["outcome"],
    buckets=(*FAST, 60.0),
    registry=REGISTRY,
)
for _outcome in ("given", "refused", "gone"):
    LEASE_WAIT_SECONDS.labels(_outcome)

# Schedules.
SCHEDULES = Gauge(
    "coxswain_schedules",
    "Schedules by phase, as the leading operator counts them.",
    ["phase"],
    registry=REGISTRY,
)
TICKS = Counter(
    "coxswain_ticks_total",
    "Ticks of Schedules, by what came of them and why.",
    ["outcome", "reason"],
    registry=REGISTRY,
)
SKIPPED = (
    *("Overlap", "BufferFull", "Superseded", "Suspended", "Paused", "PausedOnFailure"),
    *("SwitchedOff", "Cooldown", "LimitReached", "OutOfRange"),
)
MISSED = ("CatchUpWindow", "DeadlineExceeded", "Edited", "Refused", "Deleted")
for _outcome, _reasons in (("Fired", ("",)), ("Skipped", SKIPPED), ("Missed", MISSED)):
    for _reason in _reasons:
        TICKS.labels(_outcome, _reason)
TICK_SECONDS = Histogram(
    "coxswain_tick_lateness_seconds",
    "From the time at which a tick is due to its Job, by the policy of overlap: by some it waits.",
    ["overlap"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0, 3600.0),
    registry=REGISTRY,
)
for _overlap in ("Skip", "BufferOne", "BufferAll", "CancelOther", "TerminateOther", "AllowAll"):
    TICK_SECONDS.labels(_overlap)
TICKS_OPEN = Gauge(
    "coxswain_ticks_open",
    "Ticks that wait, whose Job is being made, or whose Job runs, as the leading operator counts.",
    ["state"],
    registry=REGISTRY,
)
TRIGGERS_WAITING = Gauge(
    "coxswain_triggers_waiting",
    "Deliveries and changed pages that no operator has handled, as the leading one counts them.",
    registry=REGISTRY,
)

# Callbacks.
CALLBACKS = Counter(
    "coxswain_callbacks_total",
    "Tries of callbacks, by what came of them: delivered, failed, dead or skipped.",
    ["outcome"],
    registry=REGISTRY,
)
for _outcome in ("delivered", "failed", "dead", "skipped"):
    CALLBACKS.labels(_outcome)
CALLBACKS_PENDING = Gauge(
    "coxswain_callbacks_pending",
    "Callbacks that are neither delivered nor given up, as the leading operator counts them.",
    registry=REGISTRY,
)
CALLBACKS_OLDEST_SECONDS = Gauge(
    "coxswain_callbacks_oldest_seconds",
    "How long ago the oldest of them was owed first.",
    registry=REGISTRY,
)
CALLBACK_SECONDS = Histogram(
    "coxswain_callback_seconds",
    "Time of one exchange with a receiver.",
    buckets=FAST,
    registry=REGISTRY,
)

# Model gateway.
MODEL_CALLS = Counter(
    "coxswain_model_calls_total",
    "Model calls by provider and outcome: ok, a PROVIDER_ code, or CallerGone.",
    ["provider", "outcome"],
    registry=REGISTRY,
)
MODEL_CALL_SECONDS = Histogram(
    "coxswain_model_call_seconds",
    "Time of a model call, of a stream to its end.",
    ["provider"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0),
    registry=REGISTRY,
)
MODEL_FIRST_SECONDS = Histogram(
    "coxswain_model_first_chunk_seconds",
    "From a call that streams to the first piece of its answer.",
    ["provider"],
    buckets=FAST,
    registry=REGISTRY,
)
MODEL_TOKENS = Counter(
    "coxswain_model_tokens_total",
    "Tokens as providers count them; workspaces beyond the first many are 'other'.",
    ["workspace", "provider", "direction"],
    registry=REGISTRY,
)
USAGE_LOST = Counter(
    "coxswain_usage_rows_lost_total",
    "Usage rows that were dropped because the database stayed away too long.",
    registry=REGISTRY,
)
VERDICT_CHECKS = Counter(
    "coxswain_verdict_checks_total",
    "Checks of an Agent's models, by what they found.",
    ["reason"],
    registry=REGISTRY,
)

# Egress gateway.
EGRESS_CONNECTIONS = Counter(
    "coxswain_egress_connections_total",
    "Connections that agents asked for, by how they ended: done, or the code of a refusal or cut.",
    ["outcome"],
    registry=REGISTRY,
)
EGRESS_OPEN = Gauge(
    "coxswain_egress_connections_open", "Tunnels that are open now.", registry=REGISTRY
)
EGRESS_BYTES = Counter(
    "coxswain_egress_bytes_total",
    "Bytes through tunnels that have ended, as agents see them: sent or received.",
    ["direction"],
    registry=REGISTRY,
)
EGRESS_EVENTS_LOST = Counter(
    "coxswain_egress_events_lost_total",
    "Events about connections that were dropped because the database stayed away too long.",
    registry=REGISTRY,
)

# Channel gateway.
WEBHOOKS = Counter(
    "coxswain_webhooks_total",
    "Requests at hooks: taken, repeated, or why they were refused.",
    ["outcome"],
    registry=REGISTRY,
)
for _outcome in ("taken", "repeated"):
    WEBHOOKS.labels(_outcome)
POLLS = Counter(
    "coxswain_polls_total",
    "Looks at pages of Schedules: changed, unchanged, or why one failed.",
    ["outcome"],
    registry=REGISTRY,
)
for _outcome in ("changed", "unchanged"):
    POLLS.labels(_outcome)
