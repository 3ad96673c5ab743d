"""What the chart renders, whatever the values."""

from pathlib import Path
from typing import Any

import pytest

from coxswain import names
from coxswain.channel_settings import ChannelGatewaySettings
from coxswain.settings import (
    EgressGatewaySettings,
    MigrateSettings,
    ModelGatewaySettings,
    OperatorSettings,
    Settings,
    SidecarSettings,
)
from coxswain.web.readiness import CHECK_SECONDS
from devtools.errors import ToolError
from tests.support import chart

Body = dict[str, Any]

PROCESSES: dict[str, type[Settings]] = {
    "migrate": MigrateSettings,
    "operator": OperatorSettings,
    "models": ModelGatewaySettings,
    "egress": EgressGatewaySettings,
    "channels": ChannelGatewaySettings,
    "sidecar": SidecarSettings,
}


@pytest.fixture(
    scope="module",
    params=[
        *(
            chart.WORKSPACES,
            chart.EXTERNAL_DATABASE,
            chart.BUCKET,
            chart.OIDC,
            chart.PROD,
            chart.TLS,
            chart.INSIDE,
            chart.PLAIN,
            chart.READS,
            None,
        )
    ],
)
def objects(request: pytest.FixtureRequest) -> list[Body]:
    return chart.render(*([request.param] if request.param else []))


@pytest.fixture(scope="module")
def full() -> list[Body]:
    return chart.render(chart.WORKSPACES)


def _processes(objects: list[Body]) -> list[tuple[str, set[str]]]:
    """Verb and names of our settings of every container that runs one of our processes."""
    return [
        (container["args"][0], {each["name"] for each in container["env"]})
        for _, template in chart.pods(objects)
        for container in chart.containers(template)
        if container.get("args", [""])[0] in PROCESSES
    ]


def test_every_setting_that_a_container_gets_is_one_its_process_reads(objects: list[Body]) -> None:
    for verb, variables in _processes(objects):
        known = {f"COXSWAIN_{name.upper()}" for name in PROCESSES[verb].model_fields}
        assert {name for name in variables if name.startswith("COXSWAIN_")} <= known, verb


def test_every_setting_that_a_process_requires_is_given(objects: list[Body]) -> None:
    for verb, variables in _processes(objects):
        fields = PROCESSES[verb].model_fields.items()
        required = {f"COXSWAIN_{name.upper()}" for name, field in fields if field.is_required()}
        assert required <= variables, verb


def test_the_chart_never_makes_a_namespace_or_a_secret(objects: list[Body]) -> None:
    assert not [each for each in objects if each["kind"] in ("Namespace", "Secret")]


def test_no_right_is_a_wildcard(objects: list[Body]) -> None:
    roles = [*chart.of_kind(objects, "Role"), *chart.of_kind(objects, "ClusterRole")]
    rules = [rule for role in roles for rule in role["rules"]]
    assert rules
    assert not [rule for rule in rules if "*" in str(rule)]


def test_no_pod_mounts_a_token_by_itself(objects: list[Body]) -> None:
    for _, template in chart.pods(objects):
        assert template["spec"]["automountServiceAccountToken"] is False


def test_only_the_operators_container_mounts_the_operators_account(full: list[Body]) -> None:
    template = chart.find(full, "Deployment", "coxswain-operator")["spec"]["template"]
    mounting = [
        container["name"]
        for container in chart.containers(template)
        if any(mount["name"] == "operator-account" for mount in container["volumeMounts"])
    ]
    assert mounting == ["operator"]


def test_the_sidecar_reads_the_account_that_the_operator_hands_over(full: list[Body]) -> None:
    template = chart.find(full, "Deployment", "coxswain-operator")["spec"]["template"]
    mounts = {
        container["name"]: mount
        for container in chart.containers(template)
        for mount in container["volumeMounts"]
        if mount["name"] == "sidecar-account"
    }
    assert mounts["operator"]["mountPath"] == mounts["sidecar"]["mountPath"]
    assert not mounts["operator"].get("readOnly")
    assert mounts["sidecar"]["readOnly"]
    volumes = {each["name"]: each for each in template["spec"]["volumes"]}
    assert volumes["sidecar-account"]["emptyDir"]["medium"] == "Memory"


def test_two_operators_run_by_default_and_one_of_them_may_be_disrupted() -> None:
    objects = chart.render()
    assert chart.find(objects, "Deployment", "coxswain-operator")["spec"]["replicas"] == 2
    budget = chart.find(objects, "PodDisruptionBudget", "coxswain-operator")
    assert budget["spec"]["maxUnavailable"] == 1


def test_every_container_has_requests_and_limits(objects: list[Body]) -> None:
    for _, template in chart.pods(objects):
        for container in chart.containers(template):
            assert {"cpu", "memory", "ephemeral-storage"} <= set(container["resources"]["requests"])
            assert {"memory", "ephemeral-storage"} <= set(container["resources"]["limits"])


def test_the_kubelet_waits_for_longer_than_a_process_asks_its_dependencies(
    full: list[Body],
) -> None:
    probes = [
        container["readinessProbe"]
        for _, template in chart.pods(full)
        for container in chart.containers(template)
        if container.get("readinessProbe", {}).get("httpGet", {}).get("path") == "/readyz"
    ]
    assert len(probes) >= 5
    assert all(each["timeoutSeconds"] > CHECK_SECONDS for each in probes)


@pytest.mark.parametrize("workspace", ["demo", "other"])
def test_a_workspace_has_all_that_the_operator_asks_for(workspace: str, full: list[Body]) -> None:
    for kind, name in (
        ("ServiceAccount", names.AGENT_SERVICE_ACCOUNT),
        ("NetworkPolicy", names.NETWORK_POLICY),
        ("ResourceQuota", names.POD_QUOTA),
        ("ResourceQuota", names.STORAGE_QUOTA),
    ):
        assert chart.find(full, kind, name, workspace)
    assert chart.find(full, "PriorityClass", names.AGENT_PRIORITY_CLASS)


@pytest.mark.parametrize("workspace", ["demo", "other"])
def test_a_workspaces_walls_stay_when_the_chart_goes(workspace: str, full: list[Body]) -> None:
    walls = [
        chart.find(full, "NetworkPolicy", names.NETWORK_POLICY, workspace),
        chart.find(full, "ResourceQuota", names.POD_QUOTA, workspace),
        chart.find(full, "ResourceQuota", names.STORAGE_QUOTA, workspace),
    ]
    for wall in walls:
        assert wall["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_agents_may_reach_three_doors_by_label_and_port_and_nobody_reaches_them(
    full: list[Body],
) -> None:
    policy = chart.find(full, "NetworkPolicy", names.NETWORK_POLICY, "demo")["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert "ingress" not in policy
    assert [rule["ports"] for rule in policy["egress"]] == [
        [{"protocol": "TCP", "port": 8080}],
        [{"protocol": "TCP", "port": 8081}],
        [{"protocol": "TCP", "port": 8082}],
    ]
    for rule in policy["egress"]:
        (peer,) = rule["to"]
        assert peer["podSelector"]["matchLabels"]
        namespaces = peer["namespaceSelector"]["matchLabels"]
        assert namespaces == {"kubernetes.io/metadata.name": chart.RELEASE_NAMESPACE}


@pytest.mark.parametrize("door", ["api", "models", "egress"])
def test_a_doors_service_and_the_agents_policy_mean_the_same_pods(
    door: str, full: list[Body]
) -> None:
    service = chart.find(full, "Service", f"coxswain-{door}")["spec"]["selector"]
    policy = chart.find(full, "NetworkPolicy", names.NETWORK_POLICY, "demo")["spec"]
    selectors = [rule["to"][0]["podSelector"]["matchLabels"] for rule in policy["egress"]]
    assert service in selectors
    behind = [
        name
        for name, template in chart.pods(full)
        if service.items() <= template["metadata"]["labels"].items()
    ]
    wanted = {"api": ["coxswain-operator", "coxswain-api"]}
    assert sorted(behind) == sorted(wanted.get(door, [f"coxswain-{door}"]))


def test_the_web_door_may_go_out_but_not_to_the_networks_of_the_cluster(full: list[Body]) -> None:
    policy = chart.find(full, "NetworkPolicy", "coxswain-egress")["spec"]
    (web,) = [rule for rule in policy["egress"] if 8443 in _ports(rule)]
    assert _ports(web) == {443, 8443}
    blocks = {each["ipBlock"]["cidr"]: each["ipBlock"].get("except", []) for each in web["to"]}
    assert set(blocks) == {"0.0.0.0/0", "2000::/3"}
    for private in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"):
        assert private in blocks["0.0.0.0/0"]
    anywhere = [rule for rule in policy["egress"] if "to" not in rule]
    assert anywhere == []


def test_nothing_is_open_outside_unless_an_installation_says_so() -> None:
    container = _only_container(chart.render(), "coxswain-egress")
    given = {each["name"]: each.get("value") for each in container["env"]}
    assert given["COXSWAIN_EGRESS_ALLOWED_NETWORKS"] == "[]"
    assert given["COXSWAIN_CALLBACKS_ALLOWED_DOMAINS"] == "[]"
    assert given["COXSWAIN_CALLBACKS_ORIGINS"] == "[]"
    assert given["COXSWAIN_CALLBACKS_SIGNING"] == "true"


@pytest.mark.parametrize(
    ("callbacks", "has_rights"),
    [
        ({}, False),
        ({"allowedDomains": ["hooks.example.com"]}, True),
        ({"enabled": False, "allowedDomains": ["hooks.example.com"]}, False),
    ],
)
def test_the_egress_gateways_account_has_no_rights_unless_it_has_callbacks_to_sign(
    callbacks: Body, tmp_path: Path, *, has_rights: bool
) -> None:
    chosen = {"callbacks": callbacks, "workspaces": [{"name": "demo"}]}
    objects = chart.render_with(tmp_path, chosen)
    bindings = [
        *chart.of_kind(objects, "RoleBinding"),
        *chart.of_kind(objects, "ClusterRoleBinding"),
    ]
    subjects = {subject["name"] for each in bindings for subject in each["subjects"]}
    assert "coxswain-models" in subjects
    assert ("coxswain-egress" in subjects) is has_rights
    roles = {each["metadata"]["name"] for each in chart.of_kind(objects, "ClusterRole")}
    assert ("coxswain-workspace-egress" in roles) is has_rights


def test_what_an_installation_says_of_callbacks_reaches_the_gateway(full: list[Body]) -> None:
    container = _only_container(full, "coxswain-egress")
    given = {each["name"]: each.get("value") for each in container["env"]}
    assert given["COXSWAIN_CALLBACKS_ENABLED"] == "true"
    assert given["COXSWAIN_CALLBACKS_ALLOWED_DOMAINS"] == '["*.example.com"]'
    assert given["COXSWAIN_CALLBACKS_SIGNING_SECRET"] == "hooks"


def _ports(rule: Body) -> set[int]:
    return {each["port"] for each in rule.get("ports", [])}


def _only_container(objects: list[Body], deployment: str) -> Body:
    template = chart.find(objects, "Deployment", deployment)["spec"]["template"]
    (container,) = chart.containers(template)
    return container


def test_a_workspaces_own_quota_replaces_only_what_it_names(full: list[Body]) -> None:
    own = chart.find(full, "ResourceQuota", names.POD_QUOTA, "other")["spec"]["hard"]
    default = chart.find(full, "ResourceQuota", names.POD_QUOTA, "demo")["spec"]["hard"]
    assert own == {**default, "pods": "5"}


def test_a_database_of_ones_own_brings_no_server(tmp_path: Path) -> None:
    objects = chart.render(chart.EXTERNAL_DATABASE)
    assert not chart.of_kind(objects, "StatefulSet")
    references = str(
        [container for _, pod in chart.pods(objects) for container in chart.containers(pod)]
    )
    assert "my-database" in references
    assert "coxswain-database" not in references


@pytest.mark.parametrize(
    ("chosen", "path"),
    [
        ({"operator": {"replica": 3}}, "/operator"),
        ({"operator": {"replicas": 0}}, "/operator/replicas"),
        ({"workspaces": [{"namespace": "demo"}]}, "/workspaces/0"),
        ({"log": {"format": "yaml"}}, "/log/format"),
        ({"egress": {"allowedNetworks": ["example.com"]}}, "/egress/allowedNetworks/0"),
        ({"network": {"web": {"ports": []}}}, "/network/web/ports"),
        ({"callbacks": {"allowedDomains": ["https://a.b"]}}, "/callbacks/allowedDomains/0"),
        ({"callbacks": {"origins": ["http://a.b/path"]}}, "/callbacks/origins/0"),
        ({"channels": {"polls": {"allowedDomains": ["*"]}}}, "/channels/polls/allowedDomains/0"),
        ({"channels": {"polls": {"origins": ["a.b"]}}}, "/channels/polls/origins/0"),
        ({"channels": {"enabled": "yes"}}, "/channels/enabled"),
        ({"postgress": {}}, "postgress"),
    ],
)
def test_a_wrong_value_is_refused_with_its_path(chosen: Body, path: str, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=path):
        chart.render_with(tmp_path, chosen)
