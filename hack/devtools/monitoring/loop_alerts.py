"""Alerts about the operator: its leader and its loop."""

from devtools.monitoring.alerts import Alert

LOOP = (
    Alert(
        "NoLeader",
        "(sum(coxswain_leader{@}) or vector(0)) < 1",
        "2m",
        "critical",
        "No operator leads.",
        "Running pods go on, but nothing starts, ends or is recorded until a replica leads.",
    ),
    Alert(
        "TwoLeaders",
        "sum(coxswain_leader{@}) > 1",
        "5m",
        "critical",
        "More than one operator says that it leads.",
        "{{ $value }} replicas say so. Fencing keeps the older one from writing; it should have ended itself.",
    ),
    Alert(
        "LeaderChanges",
        "sum(changes(coxswain_leader{@}[1h])) > 8",
        "0m",
        "warning",
        "The operator's leader changes again and again.",
        "{{ $value }} changes within an hour; each hand-over holds up every Job for seconds.",
    ),
    Alert(
        "WorkQueueStuck",
        "max(coxswain_work_queue_oldest_seconds{@}) > 60",
        "5m",
        "warning",
        "Objects wait long for a pass.",
        "The oldest key of the work queue has waited for {{ $value | humanizeDuration }}.",
    ),
    Alert(
        "EventLoopBlocked",
        "max by (pod) (coxswain_event_loop_lag_seconds{@}) > 1",
        "3m",
        "warning",
        "The operator's event loop is held up.",
        "A timer of {{ $labels.pod }} was {{ $value | humanizeDuration }} late; at 10 s it loses its lease.",
    ),
    Alert(
        "PassesFailing",
        "sum by (kind) (rate(coxswain_reconcile_errors_total{@}[10m]))"
        " / sum by (kind) (rate(coxswain_reconcile_seconds_count{@}[10m])) > 0.2"
        " and sum by (kind) (increase(coxswain_reconcile_seconds_count{@}[10m])) >= 20",
        "15m",
        "warning",
        "Many passes fail.",
        "{{ $value | humanizePercentage }} of the passes over objects of kind {{ $labels.kind }} fail and repeat.",
    ),
    Alert(
        "EventsNotTaken",
        "sum by (kind) (increase(coxswain_events_not_taken_total{@}[15m])) > 0",
        "0m",
        "warning",
        "An event of a watch could not be taken in.",
        "The operator could not read an event about a {{ $labels.kind }}; the next sweep looks at all of them.",
    ),
    Alert(
        "SweepOverdue",
        "time() - max(coxswain_last_sweep_timestamp_seconds{@}) > 600",
        "5m",
        "warning",
        "No sweep came to its end.",
        "What a lost event hides is not repaired: the last whole sweep was"
        " {{ $value | humanizeDuration }} ago, and one is due each minute.",
    ),
    Alert(
        "WorkspaceLost",
        "max by (workspace) (coxswain_workspaces_lost{@}) > 0",
        "5m",
        "warning",
        "A workspace may not be read any more.",
        "Nothing is done in {{ $labels.workspace }}: the operator's reads there are refused, or the namespace is gone.",
    ),
    Alert(
        "ApiServerErrors",
        'sum(rate(coxswain_kube_request_seconds_count{@, status=~"5xx|none"}[5m]))'
        " / sum(rate(coxswain_kube_request_seconds_count{@}[5m])) > 0.05",
        "10m",
        "warning",
        "The API server fails or does not answer.",
        "{{ $value | humanizePercentage }} of the calls to the Kubernetes API fail.",
    ),
)
