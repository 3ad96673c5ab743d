"""Every query of every dashboard returns data from a real Prometheus that scrapes the platform."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devtools import example, patience, release
from devtools.kubectl import Kubectl
from devtools.monitoring import drawing
from tests.support import chart, prometheus
from tests.support.prometheus import Prometheus, Target

pytestmark = pytest.mark.alone

DASHBOARDS = sorted((chart.CHART / "dashboards").glob("*.json"))
# What Grafana puts in for panels of this width at an interval of one second, and for all that may be chosen.
CHOSEN = {"$__rate_interval": "1m", "$namespace": ".*", "$workspace": ".*"}
DATA_SECONDS = 90.0
HEALTH_PORTS = ("health", "api-health")


def _query(expression: str) -> str:
    for variable, value in CHOSEN.items():
        expression = expression.replace(variable, value)
    return expression


def _targets(kubectl: Kubectl) -> list[Target]:
    """Every container of ours that has metrics, with the labels that a monitor would give it."""
    pods = kubectl.json("--namespace", release.NAMESPACE, "get", "pods")["items"]
    return [
        _target(pod, container, port)
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"]
        for container in pod["spec"]["containers"]
        for port in container.get("ports", [])
        if port["name"] in HEALTH_PORTS
    ]


def _target(pod: Any, container: Any, port: Any) -> Target:
    labels = {
        "namespace": pod["metadata"]["namespace"],
        "pod": pod["metadata"]["name"],
        "container": container["name"],
    }
    return Target(f"{pod['status']['podIP']}:{port['containerPort']}", labels)


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


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
def test_every_query_of_a_dashboard_returns_data(dashboard: Path, server: Prometheus) -> None:
    waited_for = drawing.queries(dashboard.read_text())

    def missing() -> str:
        nonlocal waited_for
        waited_for = [each for each in waited_for if not server.query(_query(each[1]))]
        return ", ".join(title for title, _ in waited_for)

    patience.until(missing, DATA_SECONDS)


def test_the_job_that_ran_is_counted(server: Prometheus) -> None:
    wanted = 'sum(increase(coxswain_attempts_total{outcome="Succeeded"}[5m])) > 0'
    patience.until(lambda: "" if server.query(wanted) else "the attempt", DATA_SECONDS)
