"""The API tells of the same alerts as Prometheus, by the same thresholds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic.alias_generators import to_camel

from coxswain.alert_settings import AlertSettings
from coxswain.rules import alerting
from coxswain.rules.alerting import Thresholds
from devtools.monitoring import rules
from tests.support import alert_rules, chart
from tests.support.alert_rules import SAME

Body = dict[str, Any]

PART = "alerts_"
DEFAULTS: dict[str, int] = {
    name: field.default
    for name, field in AlertSettings.model_fields.items()
    if name.startswith(PART)
}
GIVEN = {
    "queueStalledSeconds": 1234567,
    "failureRatePercent": 7,
    "failureRateMinimum": 999999,
    "windowSeconds": 61,
}
SWITCHED_ON = {"monitoring": {"rules": {"enabled": True}}}


@dataclass(frozen=True)
class Seen:
    """The longest wait for each condition in seconds, and how many Jobs succeeded and failed."""

    waits: dict[str, float]
    succeeded: int = 0
    failed: int = 0

    @property
    def active(self) -> set[str]:
        """The alerts that the API tells of."""
        given = Thresholds(**{name.removeprefix(PART): DEFAULTS[name] for name in DEFAULTS})
        found = alerting.active(self.waits, self.succeeded, self.failed, given)
        return {each.name for each in found}

    @property
    def series(self) -> dict[str, str]:
        """The same as metrics; every Job ended in the last quarter of an hour."""
        oldest = 'coxswain_jobs_held_back_oldest_seconds{condition="%s"}'
        ended = 'coxswain_jobs_ended_total{phase="%s"}'
        return {
            **{oldest % condition: f"{seconds}x30" for condition, seconds in self.waits.items()},
            ended % "Succeeded": f"0x20 {self.succeeded}x10",
            ended % "Failed": f"0x20 {self.failed}x10",
        }


SEEN = (
    Seen({}),
    Seen({"QuotaReserved": 600}),
    Seen({"QuotaReserved": 601}),
    Seen({"PodStarted": 601, "QuotaReserved": 1}),
    Seen({"RecordsAvailable": 601}),
    Seen({"Approved": 90000, "Suspended": 90000, "AgentReady": 90000, "LeaseHeld": 90000}),
    Seen({}, succeeded=0, failed=8),
    Seen({}, succeeded=10, failed=10),
    Seen({}, succeeded=10, failed=11),
    Seen({}, succeeded=20, failed=1),
    Seen({"PodStarted": 700}, failed=30),
)


def _told(objects: list[Body]) -> list[dict[str, int]]:
    """What the API's containers are told of alerts, by the names of its settings."""
    named = [
        {each["name"].removeprefix("COXSWAIN_").lower(): each.get("value") for each in found}
        for _, template in chart.pods(objects)
        for container in chart.containers(template)
        if container["name"] == "sidecar" and (found := container["env"])
    ]
    return [
        {name: int(str(value)) for name, value in each.items() if name.startswith(PART)}
        for each in named
    ]


def test_the_api_has_the_thresholds_of_the_rules(tmp_path: Path) -> None:
    assert _told(chart.render_with(tmp_path, {})) == [DEFAULTS]
    values = {"monitoring": {"rules": {"thresholds": GIVEN}}, "sidecar": {"replicas": 1}}
    wanted = {name: GIVEN[to_camel(name.removeprefix(PART))] for name in DEFAULTS}
    assert _told(chart.render_with(tmp_path, values)) == [wanted, wanted]


def test_records_and_metrics_are_judged_alike(tmp_path: Path) -> None:
    objects = chart.render_with(tmp_path, SWITCHED_ON, monitored=True)
    (found,) = chart.of_kind(objects, "PrometheusRule")
    by_title = {alert.title: alert for alert in rules.alerts()}
    checks = [
        alert_rules.check(
            f"{name} of {seen}", by_title[SAME[name]], seen.series, 30, fires=name in seen.active
        )
        for seen in SEEN
        for name in SAME
    ]
    assert {name for seen in SEEN for name in seen.active} == set(SAME)
    alert_rules.run(found["spec"], ("coxswain-jobs",), checks, tmp_path)
