"""Alerts about Postgres, and about what is to be kept in it."""

from devtools.monitoring.alerts import Alert

RECORDS = (
    Alert(
        "DependencyDown",
        "max by (dependency) (coxswain_dependency_up{@}) < 1",
        "3m",
        "critical",
        "A dependency answers nobody.",
        "No process reaches {{ $labels.dependency }}; what needs it waits.",
    ),
    Alert(
        "RecordsWaiting",
        "max(coxswain_records_waiting{@}) > 200",
        "10m",
        "warning",
        "Records pile up in the operator's memory.",
        "For ten minutes over 200 objects waited for their records to be written; now {{ $value }}.",
    ),
    Alert(
        "RecordsRefused",
        "sum(increase(coxswain_records_refused_total{@}[1h])) > 0",
        "0m",
        "warning",
        "The database refused a record.",
        "An object's row or events are not in the records; the operator's log names it.",
    ),
    Alert(
        "RecordsLost",
        "sum(increase(coxswain_usage_rows_lost_total{@}[1h]))"
        " + sum(increase(coxswain_egress_events_lost_total{@}[1h])) > 0",
        "0m",
        "warning",
        "A gateway gave up records.",
        "{{ $value | humanize }} rows of usage or of connections are lost: Postgres was away for too long.",
    ),
    Alert(
        "AuditNotSealed",
        "max(coxswain_audit_unsealed_oldest_seconds{@}) > 900",
        "5m",
        "warning",
        "Rows of the audit log wait for their seal.",
        "The oldest has waited for {{ $value | humanizeDuration }}; a change of it would not be found.",
    ),
    Alert(
        "StorePoolFull",
        "avg_over_time(coxswain_store_connections_in_use{@}[10m])"
        " / coxswain_store_connections_max{@} > 0.9",
        "5m",
        "warning",
        "All connections to Postgres are in use.",
        "{{ $labels.container }} of {{ $labels.pod }} uses {{ $value | humanizePercentage }} of its"
        " connections; operations wait for one.",
    ),
    Alert(
        "StoreFailing",
        "sum by (code) (rate(coxswain_store_failures_total{@}[5m])) > 0.1",
        "10m",
        "warning",
        "Operations on Postgres fail.",
        "{{ $value | humanize }} per second fail for good with {{ $labels.code }}.",
    ),
)
