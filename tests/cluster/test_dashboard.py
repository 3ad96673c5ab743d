"""Every query of the dashboard returns data from a real Prometheus that scrapes the platform."""

import json
from collections.abc import Iterator

import pytest

from devtools import example, patience, release
from devtools.kubectl import Kubectl
from tests.support import chart, prometheus
from tests.support.prometheus import Prometheus

DASHBOARD = chart.CHART / "dashboards" / "coxswain.json"
# What Grafana puts in for panels of this width at an interval of one second.
RATE_INTERVAL = "1m"
DATA_SECONDS = 90.0
HEALTH_PORTS = ("health", "api-health")


def _queries() -> list[tuple[str, str]]:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return [
        (panel["title"], target["expr"].replace("$__rate_interval", RATE_INTERVAL))
        for panel in panels
        for target in panel.get("targets", [])
    ]


def _targets(kubectl: Kubectl) -> list[str]:
    """Address and port of every container of ours that has metrics."""
    pods = kubectl.json("--namespace", release.NAMESPACE, "get", "pods")["items"]
    return [
        f"{pod['status']['podIP']}:{port['containerPort']}"
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"]
        for container in pod["spec"]["containers"]
        for port in container.get("ports", [])
        if port["name"] in HEALTH_PORTS
    ]


def _run_the_example_anew(kubectl: Kubectl) -> None:
    place = ("--namespace", example.WORKSPACE)
    kubectl.run(*place, "delete", "--ignore-not-found", "--wait", "--filename", example.FOLDER)
    example.tell(example.run(kubectl))


@pytest.fixture(scope="module")
def server(kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    targets = _targets(kubectl)
    assert len(targets) >= 5
    with prometheus.scraping(targets, tmp_path_factory.mktemp("prometheus")) as started:
        patience.until(
            lambda: "" if len(started.query("up == 1")) == len(targets) else "all targets",
            DATA_SECONDS,
        )
        _run_the_example_anew(kubectl)
        yield started


@pytest.mark.parametrize(("title", "query"), _queries())
def test_a_panels_query_returns_data(title: str, query: str, server: Prometheus) -> None:
    patience.until(lambda: "" if server.query(query) else f"data of {title}", DATA_SECONDS)


def test_the_job_that_ran_is_counted(server: Prometheus) -> None:
    wanted = 'sum(increase(coxswain_attempts_total{outcome="Succeeded"}[5m])) > 0'
    patience.until(lambda: "" if server.query(wanted) else "the attempt", DATA_SECONDS)
