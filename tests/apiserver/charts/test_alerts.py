"""The chart's alerts: rendered, read by Prometheus' own tool, and each shown to fire and to stay quiet."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from coxswain.telemetry import metrics
from devtools import charts, places, programs, schemas, shell
from devtools.errors import ToolError
from devtools.monitoring import kinds, rules
from devtools.monitoring.alerts import PREFIX, Alert
from tests.support import alert_rules, chart, measured, prometheus
from tests.support.alert_cases import CASES

Body = dict[str, Any]

RUNBOOKS = places.REPOSITORY / "docs" / "runbooks"
SWITCHED_ON = {"monitoring": {"rules": {"enabled": True, "runbooks": "https://runbooks.test/"}}}


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Body:
    objects = chart.render_with(tmp_path_factory.mktemp("values"), SWITCHED_ON, monitored=True)
    (found,) = chart.of_kind(objects, "PrometheusRule")
    groups: Body = found["spec"]
    return groups


@pytest.fixture(scope="module")
def alerts(spec: Body) -> list[Body]:
    return [rule for group in spec["groups"] for rule in group["rules"] if "alert" in rule]


def _key(alert: Alert) -> str:
    """An alert of two severities has a case for each."""
    return alert.name if alert.name in CASES else f"{alert.name}/{alert.severity}"


def _tests(group: str) -> list[Body]:
    found = []
    for alert in rules.GROUPS[group]:
        case = CASES[_key(alert)]
        name = f"{_key(alert)} fires"
        found.append(alert_rules.check(name, alert, case.fires, case.minutes, fires=True))
        name = f"{_key(alert)} stays quiet"
        found.append(alert_rules.check(name, alert, case.quiet, case.minutes, fires=False))
        for given, where in ((case.idle, "where little happens"), (case.young, "at the start")):
            if given is not None:
                name = f"{_key(alert)} stays quiet {where}"
                found.append(alert_rules.check(name, alert, given, case.minutes, fires=False))
    return found


def test_prometheus_reads_the_rules(spec: Body, tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(spec))
    assert "SUCCESS" in shell.run([prometheus.promtool(), "check", "rules", file])


@pytest.mark.parametrize("group", list(rules.GROUPS))
def test_each_alert_fires_when_it_should_and_stays_quiet_close_by(
    group: str, spec: Body, tmp_path: Path
) -> None:
    wanted = (
        (f"coxswain-{group}", "coxswain-ratios")
        if group == "objectives"
        else (f"coxswain-{group}",)
    )
    alert_rules.run(spec, wanted, _tests(group), tmp_path)


def test_there_are_twenty_alerts_and_more_and_each_has_its_cases(alerts: list[Body]) -> None:
    assert len({each["alert"] for each in alerts}) >= 20
    assert {_key(alert) for alert in rules.alerts()} == set(CASES)


def test_each_alert_says_what_it_means_how_bad_it_is_and_where_to_read_on(
    alerts: list[Body],
) -> None:
    for each in alerts:
        assert each["labels"]["severity"] in ("critical", "warning", "info")
        assert each["labels"]["namespace"] == chart.RELEASE_NAMESPACE
        told = each["annotations"]
        assert told["summary"]
        assert told["description"]
        assert told["runbook_url"] == f"https://runbooks.test/{each['alert']}.md"


def test_no_place_is_left_empty(spec: Body) -> None:
    text = yaml.safe_dump(spec)
    assert re.findall(r"@\w*@|\{@", text) == []


def test_an_installation_says_when_its_queue_is_stalled(tmp_path: Path) -> None:
    given = {
        "monitoring": {"rules": {"enabled": True, "thresholds": {"queueStalledSeconds": 1234567}}}
    }
    (found,) = chart.of_kind(chart.render_with(tmp_path, given, monitored=True), "PrometheusRule")
    (rule,) = [
        rule
        for group in found["spec"]["groups"]
        for rule in group["rules"]
        if rule.get("alert") == f"{PREFIX}QueueStalled"
    ]
    assert rule["expr"].endswith("> 1234567")


def test_alerts_are_made_only_where_they_are_asked_for_and_understood() -> None:
    assert not chart.of_kind(chart.render(monitored=True), "PrometheusRule")
    asked = chart.render(chart.WORKSPACES)
    assert not [each for each in asked if each["apiVersion"] == charts.MONITORING]


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    pages = {path.stem for path in RUNBOOKS.glob(f"{PREFIX}*.md")}
    assert pages == {alert.title for alert in rules.alerts()}


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob(f"{PREFIX}*.md")), ids=lambda path: path.stem)
def test_a_runbook_says_how_to_look_and_what_to_do(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.stem}\n")
    _, meaning, look, do = re.split(r"^# .*$|^## Look$|^## Do$", text, flags=re.MULTILINE)
    assert all(len(part.strip()) > 40 for part in (meaning, look, do))
    links = re.findall(r"\]\(([^)#]+)", text)
    assert [link for link in links if not (RUNBOOKS / link).is_file()] == []


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"rules": {"thresholds": {"failureRatePercent": 100}}}, "failureRatePercent"),
        ({"rules": {"thresholds": {"windowSeconds": 1}}}, "windowSeconds"),
        ({"serviceMonitor": {"enabled": True}, "podMonitor": {"enabled": True}}, "read twice"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_name(
    given: Body, named: str, tmp_path: Path
) -> None:
    with pytest.raises(ToolError, match=named):
        chart.render_with(tmp_path, {"monitoring": given})


def test_a_monitor_of_services_finds_the_one_service_of_metrics() -> None:
    objects = chart.render(chart.EXTERNAL_DATABASE, monitored=True)
    (monitor,) = chart.of_kind(objects, "ServiceMonitor")
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    found = [
        each
        for each in chart.of_kind(objects, "Service")
        if wanted <= each["metadata"]["labels"].items()
    ]
    assert [each["metadata"]["name"] for each in found] == ["coxswain-metrics"]
    served = {port["targetPort"] for port in found[0]["spec"]["ports"]}
    read = {each["port"] for each in monitor["spec"]["endpoints"]}
    assert read == {port["name"] for port in found[0]["spec"]["ports"]} == served
    assert found[0]["spec"]["clusterIP"] == "None"


def test_everything_that_has_metrics_is_read_and_nothing_twice() -> None:
    objects = chart.render(chart.WORKSPACES, monitored=True)
    (monitor,) = chart.of_kind(objects, "PodMonitor")
    read = {each["port"] for each in monitor["spec"]["podMetricsEndpoints"]}
    (only,) = monitor["spec"]["selector"]["matchExpressions"]
    ports = [
        (
            port["name"],
            template["metadata"]["labels"]["app.kubernetes.io/component"] in only["values"],
        )
        for _, template in chart.pods(objects)
        for container in chart.containers(template)
        for port in container.get("ports", [])
        if port["name"].endswith("health")
    ]
    assert len(ports) == 6
    assert all(name in read and is_selected for name, is_selected in ports)


def test_the_file_of_a_dashboard_says_whose_it_is(tmp_path: Path) -> None:
    """Grafana's sidecar puts the files of all ConfigMaps into one folder."""
    given = {"monitoring": {"dashboards": {"enabled": True}}}
    objects = chart.render_with(tmp_path, given, monitored=True)
    found = [each for each in objects if "-dashboard-" in each["metadata"]["name"]]
    assert found
    assert [name for each in found for name in each["data"] if name[:9] != "coxswain-"] == []


def test_metrics_are_switched_off_in_every_process(tmp_path: Path) -> None:
    given = {"enabled": False, "podMonitor": {"enabled": True}, "rules": {"enabled": True}}
    chosen = {"monitoring": given, "channels": {"enabled": True}}
    objects = chart.render_with(tmp_path, chosen, monitored=True)
    for kind in ("PodMonitor", "PrometheusRule", "ServiceMonitor"):
        assert not chart.of_kind(objects, kind)
    assert not [each for each in objects if "dashboard" in each["metadata"]["name"]]
    said = [
        each.get("value")
        for _, template in chart.pods(objects)
        for container in template["spec"]["containers"]
        for each in container.get("env", [])
        if each["name"] == "COXSWAIN_METRICS"
    ]
    assert said == ["false"] * 5


@pytest.mark.parametrize("values", [chart.WORKSPACES, chart.EXTERNAL_DATABASE])
def test_kubeconform_takes_what_is_rendered_and_refuses_a_wrong_field(
    values: Path, tmp_path: Path
) -> None:
    kinds.write(tmp_path)
    objects = [
        each
        for each in chart.render(values, monitored=True)
        if each["apiVersion"] == charts.MONITORING
    ]
    assert objects
    location = f"{tmp_path}/{schemas.LOCATION}"
    words: list[str | Path] = [
        programs.ensure("kubeconform") / "kubeconform",
        "-strict",
        "-schema-location",
        location,
    ]
    shell.run(words, stdin=yaml.safe_dump_all(objects))
    wrong = [{**each, "spec": {**each["spec"], "selectors": {}}} for each in objects]
    with pytest.raises(ToolError, match="selectors"):
        shell.run(words, stdin=yaml.safe_dump_all(wrong))


def test_prometheus_finds_no_fault_with_the_names_and_units() -> None:
    assert measured.families()
    shell.run([prometheus.promtool(), "check", "metrics"], stdin=metrics.text().decode())
