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
        'max(coxswain_ticks_open{@, state="making"}) > 0',
        "15m",
        "warning",
        "Jobs of ticks cannot be made.",
        "For a quarter of an hour there were ticks whose Job is still to be made; now {{ $value }}.",
    ),
    Alert(
        "TriggersWaiting",
        "max(coxswain_triggers_waiting{@}) > 0",
        "10m",
        "warning",
        "Deliveries are recorded and not handled.",
        "For ten minutes webhooks or changed pages waited for the operator; now {{ $value }}.",
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
