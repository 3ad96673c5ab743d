"""Calls of models: how many, how fast, how dear."""

from devtools.monitoring.panels import Board, Panel, Query, Row, per_minute, per_second, spread

_WS = ', workspace=~"$workspace"'
_BAD = ', outcome!~"ok|CallerGone"'
_CALLS = "coxswain_model_calls_total"

MODELS = Board(
    "models",
    "Models",
    "What the model gateway asks of providers.",
    (
        Row(
            "Calls",
            (
                Panel(
                    "Calls, per minute",
                    "By provider and outcome.",
                    (Query(per_minute(_CALLS, "provider, outcome"), "{{provider}} {{outcome}}"),),
                ),
                Panel(
                    "Share of calls that fail",
                    "Without those whose caller went away.",
                    (
                        Query(
                            f"{per_second(_CALLS, 'provider', _BAD)} / {per_second(_CALLS, 'provider')}",
                            "{{provider}}",
                            sparse=True,
                        ),
                    ),
                    "percentunit",
                    limits=(0.05, 0.25),
                ),
                Panel(
                    "Verdicts on Agents' models, per minute",
                    "What a check of an Agent's chain found.",
                    (Query(per_minute("coxswain_verdict_checks_total", "reason"), "{{reason}}"),),
                ),
                Panel(
                    "Time of a call",
                    "Of a stream, to its end.",
                    spread("coxswain_model_call_seconds", "provider"),
                    "s",
                    width=12,
                ),
                Panel(
                    "Time to the first piece",
                    "Of calls that stream.",
                    spread("coxswain_model_first_chunk_seconds", "provider", sparse=True),
                    "s",
                    width=12,
                ),
                Panel(
                    "Pieces told to watchers, per second",
                    "Of what models say to Jobs that somebody watches; dropped where it is too much.",
                    (
                        Query(
                            per_second("coxswain_model_deltas_total", "outcome"),
                            "{{outcome}}",
                            sparse=True,
                        ),
                    ),
                    width=12,
                ),
            ),
        ),
        Row(
            "Usage",
            (
                Panel(
                    "Tokens, per minute",
                    "As providers count them.",
                    (
                        Query(
                            per_minute("coxswain_model_tokens_total", "provider, direction", _WS),
                            "{{provider}} {{direction}}",
                        ),
                    ),
                ),
                Panel(
                    "Tokens by workspace, per minute",
                    "In and out.",
                    (
                        Query(
                            per_minute("coxswain_model_tokens_total", "workspace", _WS),
                            "{{workspace}}",
                        ),
                    ),
                    kind="stack",
                ),
                Panel(
                    "Rows of usage lost, last hour",
                    "Postgres was away for too long. Never meant.",
                    (Query("sum(increase(coxswain_usage_rows_lost_total{@}[1h]))"),),
                    kind="number",
                    limits=(1,),
                ),
            ),
        ),
    ),
)
