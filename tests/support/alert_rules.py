"""The chart's rules, judged by Prometheus' own tool over series of a test."""

import json
from pathlib import Path
from typing import Any

from devtools import shell
from devtools.monitoring.alerts import PREFIX, Alert
from tests.support import chart, prometheus

Body = dict[str, Any]
SAME = {
    "QUEUE_STALLED": f"{PREFIX}QueueStalled",
    "HIGH_FAILURE_RATE": f"{PREFIX}HighFailureRate",
}
"""What the API tells of under one name, Prometheus under another."""


def check(name: str, alert: Alert, given: dict[str, str], minutes: int, *, fires: bool) -> Body:
    """One test for the tool: after so many minutes of these series the alert fires, or does not."""
    chosen = f'alertname="{alert.title}", severity="{alert.severity}", alertstate="firing"'
    return {
        "name": name,
        "interval": "1m",
        "input_series": _series(given),
        "promql_expr_test": [
            {
                "expr": f"group(ALERTS{{{chosen}}})",
                "eval_time": f"{minutes}m",
                "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
            }
        ],
    }


def run(spec: Body, groups: tuple[str, ...], checks: list[Body], folder: Path) -> None:
    """Have the tool judge by these groups, the last one first. Raises ToolError with what was otherwise."""
    chosen = [each for each in spec["groups"] if each["name"] in groups]
    (folder / "rules.json").write_text(json.dumps({"groups": chosen}))
    file = folder / "tests.json"
    file.write_text(
        json.dumps(
            {
                "rule_files": ["rules.json"],
                "evaluation_interval": "1m",
                "group_eval_order": list(groups)[::-1],
                "tests": checks,
            }
        )
    )
    shell.run([prometheus.promtool(), "test", "rules", file])


def _series(given: dict[str, str]) -> list[Body]:
    of = f'{{namespace="{chart.RELEASE_NAMESPACE}", '
    return [
        {
            "series": f"{name.rstrip('}').replace('{', of) if '{' in name else name + of}}}",
            "values": values,
        }
        for name, values in given.items()
    ]
