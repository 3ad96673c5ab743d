"""What the chart makes of the channel gateway: nothing unless it is wanted, and then no more than it needs."""

from pathlib import Path
from typing import Any

import pytest

from tests.support import chart

Body = dict[str, Any]


@pytest.fixture(scope="module")
def full() -> list[Body]:
    return chart.render(chart.WORKSPACES)


def _ports(rule: Body) -> set[int]:
    return {each["port"] for each in rule.get("ports", [])}


@pytest.mark.parametrize("values", [None, chart.EXTERNAL_DATABASE])
def test_by_default_there_is_no_channel_gateway_and_nobody_has_its_rights(
    values: Path | None,
) -> None:
    objects = chart.render(*([values] if values else []))
    assert not [each for each in objects if each["metadata"]["name"].endswith("-channels")]
    wall = [
        each
        for each in chart.of_kind(objects, "NetworkPolicy")
        if each["metadata"]["name"] == "coxswain-postgres"
    ]
    assert "channels" not in str(wall)


def test_its_service_leads_to_its_pods_and_two_of_them_are_not_disrupted_at_once(
    full: list[Body],
) -> None:
    service = chart.find(full, "Service", "coxswain-channels")["spec"]
    template = chart.find(full, "Deployment", "coxswain-channels")["spec"]["template"]
    assert service["selector"].items() <= template["metadata"]["labels"].items()
    (container,) = chart.containers(template)
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    assert ports[service["ports"][0]["targetPort"]] == 8083
    budget = chart.find(full, "PodDisruptionBudget", "coxswain-channels")["spec"]
    assert budget["maxUnavailable"] == 1


def test_only_those_whom_an_installation_names_reach_it(full: list[Body], tmp_path: Path) -> None:
    rules = chart.find(full, "NetworkPolicy", "coxswain-channels")["spec"]["ingress"]
    (senders,) = [rule for rule in rules if 8083 in _ports(rule)]
    assert senders["from"] == [{"namespaceSelector": {"matchLabels": {"ingress": "true"}}}]
    silent = chart.render_with(tmp_path, {"channels": {"enabled": True}})
    rules = chart.find(silent, "NetworkPolicy", "coxswain-channels")["spec"]["ingress"]
    assert [_ports(rule) for rule in rules] == [{9090}]


def test_it_goes_out_only_where_pages_may_be_looked_at_and_then_not_into_the_cluster(
    full: list[Body], tmp_path: Path
) -> None:
    rules = chart.find(full, "NetworkPolicy", "coxswain-channels")["spec"]["egress"]
    (web,) = [rule for rule in rules if 8443 in _ports(rule)]
    blocks = {each["ipBlock"]["cidr"]: each["ipBlock"].get("except", []) for each in web["to"]}
    assert "10.0.0.0/8" in blocks["0.0.0.0/0"]
    api = {"apiServer": {"cidrs": ["10.96.0.1/32"], "ports": [443]}}
    none = chart.render_with(tmp_path, {"channels": {"enabled": True}, "network": api})
    rules = chart.find(none, "NetworkPolicy", "coxswain-channels")["spec"]["egress"]
    assert not [peer for rule in rules for peer in rule["to"] if "0.0.0.0/0" in str(peer)]


def test_what_an_installation_says_of_polls_reaches_the_gateway(full: list[Body]) -> None:
    template = chart.find(full, "Deployment", "coxswain-channels")["spec"]["template"]
    (container,) = chart.containers(template)
    given = {each["name"]: each.get("value") for each in container["env"]}
    assert given["COXSWAIN_POLLS_ALLOWED_DOMAINS"] == '["status.example.com"]'
    assert given["COXSWAIN_POLLS_ORIGINS"] == '["http://status.example.com:8080"]'
    assert given["COXSWAIN_POLLS_NAT64_PREFIXES"] == '["2a00:64::/96"]'
    assert given["COXSWAIN_PORT"] == "8083"


def test_the_database_lets_it_in(full: list[Body]) -> None:
    policy = chart.find(full, "NetworkPolicy", "coxswain-postgres")["spec"]
    components = [
        peer["podSelector"]["matchLabels"].get("app.kubernetes.io/component")
        for rule in policy["ingress"]
        for peer in rule["from"]
    ]
    assert "channels" in components
