"""The rule file of the chart, and the list of runbooks."""

from typing import Any

from coxswain.api import manifest
from devtools.monitoring.alerts import PREFIX, Alert
from devtools.monitoring.door_alerts import DOORS
from devtools.monitoring.job_alerts import JOBS
from devtools.monitoring.loop_alerts import LOOP
from devtools.monitoring.objectives import OBJECTIVES
from devtools.monitoring.record_alerts import RECORDS
from devtools.monitoring.schedule_alerts import SCHEDULES

GROUPS: dict[str, tuple[Alert, ...]] = {
    "operator": LOOP,
    "records": RECORDS,
    "jobs": JOBS,
    "schedules": SCHEDULES,
    "doors": DOORS,
    "objectives": tuple(alert for each in OBJECTIVES for alert in each.alerts()),
}


def alerts() -> tuple[Alert, ...]:
    """All of them; the two of an objective share their name."""
    return tuple(alert for group in GROUPS.values() for alert in group)


def rule_file() -> str:
    """What the chart's PrometheusRule is made from: still without namespace, thresholds and addresses."""
    ratios: dict[str, Any] = {
        "name": "coxswain-ratios",
        "rules": [rule for each in OBJECTIVES for rule in each.records()],
    }
    groups = [
        {"name": f"coxswain-{name}", "rules": [_rule(alert) for alert in group]}
        for name, group in GROUPS.items()
    ]
    return manifest.to_yaml({"groups": [ratios, *groups]})


def index() -> str:
    """docs/runbooks/README.md, from its first line on."""
    rows = {
        alert.title: f"| [{alert.title}]({alert.title}.md) | {alert.severity} | {alert.summary} |"
        for alert in reversed(alerts())
    }
    return (
        "# Runbooks\n\n"
        f"One page for each alert of the chart (`monitoring.rules`). Their names begin with {PREFIX}.\n"
        "What is critical stops the work of everybody; a warning wants to be looked at within the day; info says\n"
        "that a person is waited for. The commands take the namespace of the platform to be `coxswain-system`\n"
        "and the release to be `coxswain`.\n\n"
        "Without an alert: [incidents](incidents.md), [channel credentials](channel-credentials.md), and\n"
        "[troubleshooting](../troubleshooting.md) by what one sees.\n\n"
        "| alert | severity | what it says |\n| --- | --- | --- |\n"
        + "\n".join(reversed(rows.values()))
        + "\n"
    )


def _rule(alert: Alert) -> dict[str, Any]:
    return {
        "alert": alert.title,
        "expr": alert.expr,
        "for": alert.lasts,
        # The sums above forget whose they are, and two installations must not answer for each other.
        "labels": {"severity": alert.severity, "namespace": "@namespace@"},
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            "runbook_url": f"@runbooks@{alert.title}.md",
        },
    }
