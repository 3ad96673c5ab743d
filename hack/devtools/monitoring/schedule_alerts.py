"""Alerts about Schedules and leases."""

from devtools.monitoring.alerts import Alert

SCHEDULES = (
    Alert(
        "TicksMissed",
        'sum by (reason) (increase(coxswain_ticks_total{@, outcome="Missed",'
        ' reason=~"CatchUpWindow|DeadlineExceeded|Refused"}[1h])) > 0',
        "0m",
        "warning",
        "A tick made no Job although it should have.",
        "{{ $value | humanize }} ticks were missed within the hour: {{ $labels.reason }}.",
    ),
    Alert(
        "TicksLate",
        "histogram_quantile(0.99, sum by (le)"
        ' (rate(coxswain_tick_lateness_seconds_bucket{@, overlap=~"Skip|AllowAll"}[10m]))) > 60',
        "5m",
        "warning",
        "Schedules make their Jobs late.",
        "One tick in a hundred is {{ $value | humanizeDuration }} late or more.",
    ),
    Alert(
        "TickJobsRefused",
        'min_over_time(coxswain_ticks_open{@, state="making"}[15m]) > 0',
        "0m",
        "warning",
        "Jobs of ticks cannot be made.",
        "For a quarter of an hour never fewer than {{ $value }} ticks had a Job that is still to be made.",
    ),
    Alert(
        "TriggersWaiting",
        "min_over_time(coxswain_triggers_waiting{@}[10m]) > 0",
        "0m",
        "warning",
        "Deliveries are recorded and not handled.",
        "For ten minutes never fewer than {{ $value }} webhooks or changed pages waited for the operator.",
    ),
    Alert(
        "LeasesQuarantined",
        'sum(coxswain_leases{@, state="Quarantined"}) > 0',
        "15m",
        "warning",
        "A lease waits for a person.",
        "Nobody knows whether the former holders of {{ $value }} leases still act.",
    ),
    Alert(
        "LeaseReclaimSlow",
        "histogram_quantile(0.99, sum by (le)"
        " (rate(coxswain_lease_reclaim_seconds_bucket{@}[10m]))) > 2",
        "10m",
        "warning",
        "Leases that ended are handed on late.",
        "One in a hundred is noted {{ $value | humanizeDuration }} or more after its end.",
    ),
)
