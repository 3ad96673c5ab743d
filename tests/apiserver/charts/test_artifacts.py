"""What the chart renders for a bucket for files, and for how long records stay."""

import json
from pathlib import Path
from typing import Any

import pytest

from devtools.errors import ToolError
from tests.support import chart

KEYS = {"COXSWAIN_ARTIFACTS_ACCESS_KEY_ID", "COXSWAIN_ARTIFACTS_SECRET_ACCESS_KEY"}


@pytest.fixture(scope="module")
def objects() -> list[chart.Body]:
    return chart.render(chart.BUCKET, chart.WORKSPACES)


def test_the_keys_of_the_bucket_go_to_the_sidecar_alone(objects: list[chart.Body]) -> None:
    found: dict[str, Any] = {}
    for pod, template in chart.pods(objects):
        for container in chart.containers(template):
            given = {each["name"]: each for each in container.get("env", [])}
            if KEYS & set(given):
                found[pod] = container["name"]
                for key in KEYS:
                    assert given[key]["valueFrom"]["secretKeyRef"]["name"] == "my-bucket"
    assert found == {"coxswain-operator": "sidecar", "coxswain-api": "sidecar"}
    assert not [each for each in chart.of_kind(objects, "Role") if "my-bucket" in str(each)]


def test_without_a_bucket_nothing_is_said_of_one() -> None:
    assert "ARTIFACTS" not in str(chart.render())


def test_the_api_reaches_the_store_of_files_and_only_if_there_is_one(
    objects: list[chart.Body],
) -> None:
    def ways(rendered: list[chart.Body]) -> list[Any]:
        policy = chart.find(rendered, "NetworkPolicy", "coxswain-api")
        return [rule for rule in policy["spec"]["egress"] if 8443 in _ports(rule)]

    assert ways(objects) == [
        {
            "ports": [{"protocol": "TCP", "port": 8443}],
            "to": [{"ipBlock": {"cidr": "10.1.2.4/32"}}],
        }
    ]
    assert ways(chart.render()) == []


def _ports(rule: Any) -> list[int]:
    return [each["port"] for each in rule.get("ports", [])]


@pytest.mark.parametrize("missing", ["endpoint", "existingSecret"])
def test_a_bucket_without_its_address_or_keys_is_refused(tmp_path: Path, missing: str) -> None:
    given = {"bucket": "b1", "endpoint": "https://s3.example.com", "existingSecret": "keys"}
    del given[missing]
    with pytest.raises(ToolError, match=missing):
        chart.render_with(tmp_path, {"artifacts": given})


@pytest.mark.parametrize("prefix", ["../", "a/./b", "/a", "a//"])
def test_a_prefix_with_an_empty_part_or_one_of_dots_is_refused(tmp_path: Path, prefix: str) -> None:
    with pytest.raises(ToolError, match="prefix"):
        chart.render_with(tmp_path, {"artifacts": {"prefix": prefix}})


def test_the_operator_is_told_how_long_records_stay(objects: list[chart.Body]) -> None:
    template = chart.find(objects, "Deployment", "coxswain-operator")["spec"]["template"]
    (operator,) = (each for each in chart.containers(template) if each["name"] == "operator")
    given = {each["name"]: each.get("value") for each in operator["env"]}
    assert given["COXSWAIN_DELIVERIES_KEPT_DAYS"] == "7"
    assert given["COXSWAIN_RECORDS_KEPT_DAYS"] == "90"
    assert given["COXSWAIN_EVENTS_KEPT_DAYS"] == "180"


def test_the_event_log_has_no_end_unless_one_is_given(tmp_path: Path) -> None:
    assert "COXSWAIN_EVENTS_KEPT_DAYS" not in json.dumps(chart.render_with(tmp_path, {}))
    with pytest.raises(ToolError, match="eventsDays"):
        chart.render_with(tmp_path, {"retention": {"eventsDays": 6}})
