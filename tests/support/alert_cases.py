"""For each alert: series under which it fires, and series close by under which it does not.

A series is written without the namespace, its values in promtool's notation, one for each minute.
"""

from dataclasses import dataclass

FEW = 0.2
"""Per minute: what an installation does at night."""


@dataclass(frozen=True)
class Case:
    """What Prometheus has read after so many minutes."""

    fires: dict[str, str]
    quiet: dict[str, str]
    minutes: int = 30
    idle: dict[str, str] | None = None
    """The same fault where there is too little to judge by."""
    young: dict[str, str] | None = None
    """The same fault in a process that has just started."""


def _ratio(bad: str, every: str, percent: float, per_minute: float = 1000) -> dict[str, str]:
    """So many of a hundred were bad."""
    return {bad: f"0+{per_minute * percent / 100:g}x30", every: f"0+{per_minute:g}x30"}


def _within(histogram: str, bound: str, percent: float, per_minute: float = 1000) -> dict[str, str]:
    good = per_minute * (100 - percent) / 100
    return {
        f'{histogram}_bucket{{le="{bound}"}}': f"0+{good:g}x30",
        f"{histogram}_count": f"0+{per_minute:g}x30",
    }


_API = 'coxswain_http_request_seconds_count{server="sidecar", status="%s"}'
_ENDED = 'coxswain_jobs_ended_total{phase="%s", reason="x"}'
_HELD = 'coxswain_jobs_held_back{condition="%s"}'
_OLDEST = 'coxswain_jobs_held_back_oldest_seconds{condition="%s"}'
_CALLS = 'coxswain_model_calls_total{provider="openai", outcome="%s"}'
_KEYS = 'coxswain_issuer_key_fetches_total{pod="%s", issuer="%s", outcome="%s"}'
_KUBE = 'coxswain_kube_request_seconds_count{method="GET", status="%s"}'
_REPAIRS = 'coxswain_sweep_repairs_total{kind="Job"}'
_PASSES = 'coxswain_reconcile_seconds_count{kind="Job"}'
_MISSED = 'coxswain_ticks_total{outcome="Missed", reason="%s"}'
_LATE = 'coxswain_tick_lateness_seconds_bucket{overlap="%s", le="%s"}'
_OPEN = 'coxswain_ticks_open{state="%s"}'
_RECLAIM = 'coxswain_lease_reclaim_seconds_bucket{le="%s"}'
_START = "coxswain_attempt_start_seconds"
_PASS = "coxswain_reconcile_seconds"
_LAG = 'coxswain_stream_lag_seconds_bucket{le="%s"}'

CASES: dict[str, Case] = {
    "NoLeader": Case({'coxswain_leader{pod="a"}': "0x30"}, {'coxswain_leader{pod="a"}': "1x30"}),
    "TwoLeaders": Case(
        {'coxswain_leader{pod="a"}': "1x30", 'coxswain_leader{pod="b"}': "1x30"},
        {'coxswain_leader{pod="a"}': "1x28 0 0", 'coxswain_leader{pod="b"}': "0x28 1 1"},
    ),
    "LeaderChanges": Case(
        {'coxswain_leader{pod="a"}': "0 1 0 1 0 1 0 1 0 1 0 1"},
        {'coxswain_leader{pod="a"}': "0x9 1 0 1"},
        minutes=11,
    ),
    "WorkQueueStuck": Case(
        {"coxswain_work_queue_oldest_seconds": "0+60x30"},
        {"coxswain_work_queue_oldest_seconds": "50x25 600 50x5"},
    ),
    "EventLoopBlocked": Case(
        {'coxswain_event_loop_lag_seconds{pod="a"}': "2x30"},
        {'coxswain_event_loop_lag_seconds{pod="a"}': "0.5x28 2 2"},
    ),
    "PassesFailing": Case(
        {'coxswain_reconcile_errors_total{kind="Job"}': "0+30x40", _PASSES: "0+100x40"},
        {'coxswain_reconcile_errors_total{kind="Job"}': "0+15x40", _PASSES: "0+100x40"},
        minutes=40,
        idle={'coxswain_reconcile_errors_total{kind="Job"}': "0+0.5x40", _PASSES: "0+1x40"},
    ),
    "EventsNotTaken": Case(
        {'coxswain_events_not_taken_total{kind="Pod"}': "0x25 1x5"},
        {'coxswain_events_not_taken_total{kind="Pod"}': "7x30"},
    ),
    "SweepOverdue": Case(
        {"coxswain_last_sweep_timestamp_seconds": "60x30"},
        {
            'coxswain_last_sweep_timestamp_seconds{pod="a"}': "0x30",
            'coxswain_last_sweep_timestamp_seconds{pod="b"}': "0+60x30",
        },
    ),
    "WorkspaceLost": Case(
        {'coxswain_workspaces_lost{workspace="team"}': "1x30"},
        {'coxswain_workspaces_lost{workspace="team"}': "0x26 1x3"},
    ),
    "ApiServerErrors": Case(
        {_KUBE % "none": "0+10x30", _KUBE % "2xx": "0+90x30"},
        {_KUBE % "4xx": "0+50x30", _KUBE % "5xx": "0+2x30", _KUBE % "2xx": "0+98x30"},
    ),
    "DependencyDown": Case(
        {
            'coxswain_dependency_up{dependency="postgres", pod="a"}': "0x30",
            'coxswain_dependency_up{dependency="postgres", pod="b"}': "0x30",
        },
        {
            'coxswain_dependency_up{dependency="postgres", pod="a"}': "0x30",
            'coxswain_dependency_up{dependency="postgres", pod="b"}': "1x30",
        },
    ),
    "RecordsWaiting": Case(
        {"coxswain_records_waiting": "300x30"},
        {"coxswain_records_waiting": "900x22 0 900x7"},
        young={"coxswain_records_waiting": "_x25 900x4"},
    ),
    "RecordsRefused": Case(
        {"coxswain_records_refused_total": "0x20 1x10"}, {"coxswain_records_refused_total": "3x30"}
    ),
    "RecordsLost": Case(
        {
            "coxswain_usage_rows_lost_total": "0x30",
            "coxswain_egress_events_lost_total": "0x20 5x10",
        },
        {"coxswain_usage_rows_lost_total": "4x30", "coxswain_egress_events_lost_total": "0x30"},
    ),
    "AuditNotSealed": Case(
        {"coxswain_audit_unsealed_oldest_seconds": "1000x30"},
        {"coxswain_audit_unsealed_oldest_seconds": "800x30"},
    ),
    "StorePoolFull": Case(
        {
            'coxswain_store_connections_in_use{pod="a"}': "8x30",
            'coxswain_store_connections_max{pod="a"}': "8x30",
        },
        {
            'coxswain_store_connections_in_use{pod="a"}': "4x20 8 8 4x8",
            'coxswain_store_connections_max{pod="a"}': "8x30",
        },
    ),
    "StoreFailing": Case(
        {'coxswain_store_failures_total{code="connection_lost"}': "0+60x30"},
        {'coxswain_store_failures_total{code="connection_lost"}': "0+3x30"},
    ),
    "QueueStalled": Case(
        {_OLDEST % "PodStarted": "0+60x30"},
        {_OLDEST % "QuotaReserved": "500x30", _OLDEST % "Suspended": "90000x30"},
    ),
    "HighFailureRate": Case(
        {_ENDED % "Failed": "0+2x30", _ENDED % "Succeeded": "0+1x30"},
        {_ENDED % "Failed": "0x25 3x5", _ENDED % "Succeeded": "0x30"},
    ),
    "JobsInReview": Case(
        {'coxswain_jobs{phase="Review", workspace="a"}': "1x90"},
        {'coxswain_jobs{phase="Review", workspace="a"}': "0x60 1x30"},
        minutes=90,
    ),
    "ApprovalsWaiting": Case(
        {_OLDEST % "Approved": "15000x30"}, {_OLDEST % "Approved": "14000x30"}
    ),
    "SandboxMissing": Case({_HELD % "SandboxReady": "2x30"}, {_HELD % "SandboxReady": "0x25 2x5"}),
    "AgentsNotReady": Case({_HELD % "AgentReady": "2x30"}, {_HELD % "Suspended": "2x30"}),
    "AttemptsLost": Case(
        {'coxswain_attempts_total{outcome="Lost", reason="PodLost"}': "0x20 9x10"},
        {'coxswain_attempts_total{outcome="Failed", reason="ExitCode"}': "0x20 9x10"},
    ),
    "AttemptsOutOfResources": Case(
        {'coxswain_attempts_total{outcome="Failed", reason="OutOfMemory"}': "0x20 5x10"},
        {'coxswain_attempts_total{outcome="Failed", reason="OutOfMemory"}': "0x20 1x10"},
    ),
    "TicksMissed": Case(
        {_MISSED % "CatchUpWindow": "0x20 1x10"}, {_MISSED % "Deleted": "0x20 1x10"}
    ),
    "TicksLate": Case(
        {
            _LATE % ("Skip", "60.0"): "0+90x30",
            _LATE % ("Skip", "600.0"): "0+100x30",
            _LATE % ("Skip", "+Inf"): "0+100x30",
        },
        {
            _LATE % ("BufferAll", "60.0"): "0x30",
            _LATE % ("BufferAll", "600.0"): "0+100x30",
            _LATE % ("BufferAll", "+Inf"): "0+100x30",
        },
    ),
    "TickJobsRefused": Case(
        {_OPEN % "making": "1x30"},
        {_OPEN % "making": "3x20 0 3x9"},
        young={_OPEN % "making": "_x25 3x4"},
    ),
    "TriggersWaiting": Case(
        {"coxswain_triggers_waiting": "1x30"},
        {"coxswain_triggers_waiting": "9x25 0 9x4"},
        young={"coxswain_triggers_waiting": "_x25 9x4"},
    ),
    "LeasesQuarantined": Case(
        {'coxswain_leases{state="Quarantined"}': "1x30"},
        {'coxswain_leases{state="Expired"}': "9x30"},
    ),
    "LeaseReclaimSlow": Case(
        {_RECLAIM % "2.0": "0+90x30", _RECLAIM % "5.0": "0+100x30", _RECLAIM % "+Inf": "0+100x30"},
        {_RECLAIM % "2.0": "0+100x30", _RECLAIM % "5.0": "0+100x30", _RECLAIM % "+Inf": "0+100x30"},
    ),
    "TokensRefused": Case(
        {'coxswain_token_refusals_total{code="token_expired"}': "0+90x30"},
        {'coxswain_token_refusals_total{code="token_expired"}': "0+30x30"},
    ),
    "SigningKeysUnreadable": Case(
        {
            _KEYS % ("a", "oidc", "failed"): "0+1x30",
            _KEYS % ("a", "oidc", "ok"): "5x30",
            _KEYS % ("a", "cluster", "ok"): "0+1x30",
            _KEYS % ("b", "oidc", "ok"): "0+1x30",
        },
        {
            _KEYS % ("a", "oidc", "failed"): "0+1x30",
            _KEYS % ("a", "oidc", "ok"): "0+1x30",
        },
    ),
    "StreamsNearlyAll": Case(
        {'coxswain_streams_open{pod="a"}': "480x30", 'coxswain_streams_max{pod="a"}': "500x30"},
        {'coxswain_streams_open{pod="a"}': "300x30", 'coxswain_streams_max{pod="a"}': "500x30"},
    ),
    "StreamsLate": Case(
        {_LAG % "5.0": "0+90x30", _LAG % "10.0": "0+100x30", _LAG % "+Inf": "0+100x30"},
        {_LAG % "5.0": "0+100x30", _LAG % "10.0": "0+100x30", _LAG % "+Inf": "0+100x30"},
    ),
    "ModelCallsFailing": Case(
        {_CALLS % "ok": "0+10x30", _CALLS % "PROVIDER_TIMEOUT": "0+10x30"},
        {_CALLS % "ok": "0+10x30", _CALLS % "CallerGone": "0+10x30"},
        idle={_CALLS % "ok": "0+0.2x30", _CALLS % "PROVIDER_TIMEOUT": "0+0.2x30"},
    ),
    "CallbacksStuck": Case(
        {"coxswain_callbacks_oldest_seconds": "4000x30"},
        {"coxswain_callbacks_oldest_seconds": "3000x30"},
    ),
    "CallbacksDead": Case(
        {'coxswain_callbacks_total{outcome="dead"}': "0x20 1x10"},
        {'coxswain_callbacks_total{outcome="failed"}': "0x20 1x10"},
    ),
    "WebhooksRefused": Case(
        {'coxswain_webhooks_total{outcome="unsigned"}': "0+60x30"},
        {'coxswain_webhooks_total{outcome="repeated"}': "0+60x30"},
    ),
    "ApiErrorBudget/critical": Case(
        _ratio(_API % "5xx", _API % "2xx", 2),
        _ratio(_API % "5xx", _API % "2xx", 0.4),
        minutes=25,
        idle=_ratio(_API % "5xx", _API % "2xx", 50, FEW),
    ),
    "ApiErrorBudget/warning": Case(
        _ratio(_API % "5xx", _API % "2xx", 0.4),
        _ratio(_API % "4xx", _API % "2xx", 2),
        minutes=25,
        idle=_ratio(_API % "5xx", _API % "2xx", 50, FEW),
    ),
    "StartErrorBudget/critical": Case(
        _within(_START, "60.0", 20),
        _within(_START, "60.0", 4),
        minutes=25,
        idle=_within(_START, "60.0", 50, FEW),
    ),
    "StartErrorBudget/warning": Case(
        _within(_START, "60.0", 4),
        _within(_START, "60.0", 0.5),
        minutes=25,
        idle=_within(_START, "60.0", 50, FEW),
    ),
    "LoopErrorBudget/critical": Case(
        _within(_PASS, "1.0", 20),
        _within(_PASS, "1.0", 4),
        minutes=25,
        idle=_within(_PASS, "1.0", 50, FEW),
    ),
    "LoopErrorBudget/warning": Case(
        _within(_PASS, "1.0", 4),
        _within(_PASS, "1.0", 0.5),
        minutes=25,
        idle=_within(_PASS, "1.0", 50, FEW),
    ),
    "SweepErrorBudget": Case(
        _ratio(_REPAIRS, _PASSES, 0.4),
        _ratio(_REPAIRS, _PASSES, 0.05),
        minutes=25,
        idle=_ratio(_REPAIRS, _PASSES, 50, FEW),
    ),
}
