"""Alerts about who comes in and what goes out: identity, streams, models, callbacks, webhooks."""

from devtools.monitoring.alerts import Alert

_KEYS = 'sum by (issuer, pod) (increase(coxswain_issuer_key_fetches_total{@, outcome="%s"}[15m]))'

DOORS = (
    Alert(
        "TokensRefused",
        "sum by (code) (rate(coxswain_token_refusals_total{@}[5m])) > 1",
        "5m",
        "warning",
        "Somebody comes again and again without a valid identity.",
        "{{ $value | humanize }} requests per second are refused with {{ $labels.code }}.",
    ),
    Alert(
        "SigningKeysUnreadable",
        f"{_KEYS % 'failed'} > 3 unless {_KEYS % 'ok'} > 0",
        "0m",
        "warning",
        "Keys that sign tokens cannot be read.",
        "{{ $labels.pod }} cannot read the keys of the issuer {{ $labels.issuer }}. Known keys serve on; who"
        " comes with a new one is refused.",
    ),
    Alert(
        "StreamsNearlyAll",
        "coxswain_streams_open{@} / coxswain_streams_max{@} > 0.9",
        "5m",
        "warning",
        "A replica of the API has nearly all its live streams open.",
        "{{ $labels.pod }} serves {{ $value | humanizePercentage }} of what it may; further clients get 503.",
    ),
    Alert(
        "StreamsLate",
        "histogram_quantile(0.99, sum by (le) (rate(coxswain_stream_lag_seconds_bucket{@}[10m]))) > 5",
        "10m",
        "warning",
        "Live streams lag behind the log.",
        "One event in a hundred comes {{ $value | humanizeDuration }} or more after it was recorded.",
    ),
    Alert(
        "ModelCallsFailing",
        "sum by (provider)"
        ' (rate(coxswain_model_calls_total{@, outcome!~"ok|CallerGone"}[10m]))'
        " / sum by (provider) (rate(coxswain_model_calls_total{@}[10m])) > 0.25"
        " and sum by (provider) (increase(coxswain_model_calls_total{@}[10m])) >= 10",
        "10m",
        "warning",
        "Many model calls fail.",
        "{{ $value | humanizePercentage }} of the calls to {{ $labels.provider }} fail.",
    ),
    Alert(
        "CallbacksStuck",
        "max(coxswain_callbacks_oldest_seconds{@}) > 3600",
        "10m",
        "warning",
        "Callbacks do not arrive.",
        "The oldest that is owed has been owed for {{ $value | humanizeDuration }}.",
    ),
    Alert(
        "CallbacksDead",
        'sum(increase(coxswain_callbacks_total{@, outcome="dead"}[1h])) > 0',
        "0m",
        "warning",
        "A callback was given up.",
        "{{ $value | humanize }} callbacks had all their tries within the hour; their receivers do not know.",
    ),
    Alert(
        "WebhooksRefused",
        'sum by (outcome) (rate(coxswain_webhooks_total{@, outcome!~"taken|repeated"}[10m])) > 0.5',
        "10m",
        "warning",
        "Webhooks are refused.",
        "{{ $value | humanize }} requests per second at hooks are refused with {{ $labels.outcome }}.",
    ),
)
