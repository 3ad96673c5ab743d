"""Where spans go, as the chart says it: to nobody, unless an installation names a collector."""

from pathlib import Path

import pytest

from devtools.errors import ToolError
from tests.support import chart

ENDPOINT, PORT = "http://collector.monitoring:4318", 14318
PEER = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
CHOSEN: chart.Body = {
    "traces": {"endpoint": ENDPOINT},
    "network": {"traces": {"peers": [PEER], "port": PORT}},
    "channels": {"enabled": True},
    "sidecar": {"replicas": 1},
}
VARIABLE = "COXSWAIN_TRACES_ENDPOINT"
POLICIES = ("coxswain-api", "coxswain-models", "coxswain-channels")


def told(objects: list[chart.Body]) -> dict[str, set[str]]:
    """By process, the collectors that its containers are told of."""
    return {
        container["args"][0]: {
            each["value"] for each in container["env"] if each["name"] == VARIABLE
        }
        for _, template in chart.pods(objects)
        for container in chart.containers(template)
        if container.get("args")
    }


def ways(objects: list[chart.Body], policy: str, port: int = PORT) -> list[chart.Body]:
    """Where a policy lets pods go for the collector."""
    rules = chart.find(objects, "NetworkPolicy", policy)["spec"]["egress"]
    return [rule for rule in rules if {"protocol": "TCP", "port": port} in rule.get("ports", [])]


@pytest.fixture
def traced(tmp_path: Path) -> list[chart.Body]:
    return chart.render_with(tmp_path, CHOSEN)


def test_by_default_no_process_is_told_of_a_collector_and_none_may_go_to_one() -> None:
    rendered = chart.render(chart.WORKSPACES)
    assert VARIABLE not in str(rendered)
    for policy in ("coxswain-api", "coxswain-models"):
        assert ways(rendered, policy, 4318) == []


def test_each_process_that_has_spans_is_told_where_the_collector_is(
    traced: list[chart.Body],
) -> None:
    found = {process for process, endpoints in told(traced).items() if endpoints == {ENDPOINT}}
    assert found == {"operator", "sidecar", "models", "channels"}


@pytest.mark.parametrize("policy", POLICIES)
def test_its_pods_may_go_there_and_on_that_port_alone(
    policy: str, traced: list[chart.Body]
) -> None:
    assert ways(traced, policy) == [{"ports": [{"protocol": "TCP", "port": PORT}], "to": [PEER]}]
    assert ways(traced, "coxswain-egress") == []


def test_a_collector_whose_peers_are_not_said_may_be_anywhere_on_its_port(tmp_path: Path) -> None:
    chosen = CHOSEN | {"network": {"traces": {"port": PORT}}}
    rendered = chart.render_with(tmp_path, chosen)
    assert ways(rendered, "coxswain-api") == [{"ports": [{"protocol": "TCP", "port": PORT}]}]


@pytest.mark.parametrize(
    "endpoint", ["collector:4318", "http://user:pass@collector", "ftp://collector"]
)
def test_what_is_no_address_of_a_collector_is_refused(endpoint: str, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="/traces/endpoint"):
        chart.render_with(tmp_path, {"traces": {"endpoint": endpoint}})
