"""What the operator may list, by what the chart renders."""

import json
from typing import Any

import pytest

from tests.support import chart

Body = dict[str, Any]
READ = {"agents", "jobs", "leases", "schedules", "pods", "resourcequotas"}


def _listed(roles: list[Body]) -> dict[str, set[str]]:
    """What each role lets one list or watch, by place and name."""
    found = {}
    for role in roles:
        metadata = role["metadata"]
        what = {
            resource
            for rule in role["rules"]
            if {"list", "watch", "*"} & set(rule["verbs"])
            for resource in rule["resources"]
        }
        if what:
            found[f"{metadata.get('namespace', '')}/{metadata['name']}"] = what
    return found


def _asked(objects: list[Body]) -> str | None:
    """The setting of the operator's container."""
    deployment = chart.find(objects, "Deployment", "coxswain-operator")
    operator = chart.containers(deployment["spec"]["template"])[1]
    assert operator["name"] == "operator"
    found = [each for each in operator["env"] if each["name"] == "COXSWAIN_READ_WORKSPACES"]
    return found[0]["value"] if found else None


@pytest.fixture(scope="module")
def narrow() -> list[Body]:
    return chart.render(chart.READS)


def test_by_default_it_lists_everywhere_and_is_told_no_names() -> None:
    objects = chart.render(chart.WORKSPACES)
    roles = _listed(chart.of_kind(objects, "ClusterRole"))
    assert roles["/coxswain-operator-watch"] == READ
    assert _asked(objects) is None
    assert not _listed(chart.of_kind(objects, "Role"))


def test_where_it_reads_the_workspaces_no_cluster_role_lists_a_pod_or_a_quota(
    narrow: list[Body],
) -> None:
    for name, listed in _listed(chart.of_kind(narrow, "ClusterRole")).items():
        assert not listed & {"pods", "resourcequotas"}, name
        assert "operator" not in name


def test_what_is_bound_in_the_whole_cluster_lists_nothing(narrow: list[Body]) -> None:
    listed = _listed(chart.of_kind(narrow, "ClusterRole"))
    for binding in chart.of_kind(narrow, "ClusterRoleBinding"):
        assert f"/{binding['roleRef']['name']}" not in listed


def test_where_it_reads_the_workspaces_it_lists_in_each_and_is_told_their_names(
    narrow: list[Body],
) -> None:
    roles = _listed(chart.of_kind(narrow, "Role"))
    assert roles == {f"{each}/coxswain-operator-reads": READ for each in ("demo", "other")}
    for each in ("demo", "other"):
        binding = chart.find(narrow, "RoleBinding", "coxswain-operator-reads", each)
        assert binding["roleRef"]["kind"] == "Role"
        assert [each["name"] for each in binding["subjects"]] == ["coxswain-operator"]
    assert json.loads(str(_asked(narrow))) == ["demo", "other"]
