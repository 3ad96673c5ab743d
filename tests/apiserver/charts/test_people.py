"""How people sign in, as the chart sets the API up: what it is told, what it mounts, what it may ask."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from coxswain.settings import SidecarSettings
from devtools.errors import ToolError
from tests.support import chart

GROUPS = {"ops": {"role": "Admin"}}
OIDC = {"issuer": "https://issuer.example", "audience": "coxswain"}


def people(folder: Path, **chosen: Any) -> list[chart.Body]:
    return chart.render_with(folder, {"people": chosen, "sidecar": {"replicas": 1}})


def sidecars(objects: list[chart.Body]) -> list[tuple[chart.Body, chart.Body]]:
    """Pod template and container of the API, beside the operator and alone."""
    found = [
        (template, container)
        for _, template in chart.pods(objects)
        for container in chart.containers(template)
        if container["name"] == "sidecar"
    ]
    assert len(found) == 2
    return found


def settings(container: chart.Body) -> SidecarSettings:
    """What the process would read, contradictions and all."""
    given = {
        each["name"].removeprefix("COXSWAIN_").lower(): each["value"]
        for each in container["env"]
        if "value" in each
    }
    for name in ("people_groups", "workspace_weights", "onboarded_workspaces"):
        given[name] = json.loads(given.get(name, "{}"))
    return SidecarSettings(**{"database_dsn": SecretStr("postgresql://x"), **given})


MODES: dict[str, dict[str, Any]] = {
    "local": {},
    "oidc": {"mode": "oidc", "oidc": OIDC, "groups": GROUPS},
    "oidc and local": {"mode": "oidc", "oidc": OIDC, "groups": GROUPS, "keepLocalToken": True},
    "oidc with certificates": {
        "mode": "oidc",
        "oidc": {**OIDC, "caConfigMap": "issuer"},
        "groups": {"team": {"role": "Member", "workspaces": ["demo"]}},
    },
    "kubernetes": {"mode": "kubernetes", "kubernetes": {"audience": "people"}},
}


@pytest.mark.parametrize("name", MODES)
def test_what_the_api_is_told_contradicts_nothing_and_every_file_is_mounted(
    tmp_path: Path, name: str
) -> None:
    for template, container in sidecars(people(tmp_path, **MODES[name])):
        found = settings(container)
        assert found.people == name.split()[0]
        mounted = {each["mountPath"] for each in container["volumeMounts"]}
        for file in (found.local_token_file, found.oidc_ca_file):
            assert file is None or str(file.parent) in mounted
        volumes = {each["name"] for each in template["spec"]["volumes"]}
        assert {each["name"] for each in container["volumeMounts"]} <= volumes


def test_the_api_is_told_of_all_workspaces_that_were_onboarded() -> None:
    for _, container in sidecars(chart.render(chart.WORKSPACES)):
        assert settings(container).onboarded_workspaces == ["demo", "other"]


@pytest.mark.parametrize(
    ("name", "is_there"),
    [("local", True), ("oidc", False), ("oidc and local", True), ("kubernetes", False)],
)
def test_the_local_token_is_there_only_where_it_opens_the_api(
    tmp_path: Path, name: str, is_there: bool
) -> None:
    objects = people(tmp_path, **MODES[name])
    for template, container in sidecars(objects):
        assert (settings(container).local_token_file is not None) == is_there
        volumes = {each["name"] for each in template["spec"]["volumes"]}
        assert ("local-token" in volumes) == is_there
    (hook,) = chart.containers(chart.find(objects, "Job", "coxswain-secrets")["spec"]["template"])
    made = {each["name"]: each.get("value") for each in hook["env"]}["LOCAL_TOKEN_SECRET"]
    assert bool(made) == is_there


@pytest.mark.parametrize(("name", "is_there"), [("local", False), ("kubernetes", True)])
def test_the_api_may_ask_about_tokens_and_rights_only_where_kubernetes_decides(
    tmp_path: Path, name: str, is_there: bool
) -> None:
    objects = people(tmp_path, **MODES[name])
    names = {each["metadata"]["name"] for each in chart.of_kind(objects, "ClusterRole")}
    assert ("coxswain-sidecar-reviews" in names) == is_there


@pytest.mark.parametrize(
    "chosen",
    [
        {"mode": "oidc"},
        {"mode": "oidc", "oidc": OIDC},
        {"mode": "oidc", "oidc": {**OIDC, "issuer": "http://issuer.example"}, "groups": GROUPS},
        {"mode": "oidc", "oidc": OIDC, "groups": {"ops": {"role": "Owner"}}},
        {"mode": "saml"},
    ],
)
def test_half_a_configuration_is_refused(tmp_path: Path, chosen: dict[str, Any]) -> None:
    with pytest.raises(ToolError, match="people"):
        people(tmp_path, **chosen)
