"""Values that contradict each other, or their mode, are refused all at once, each by its name."""

import re
from pathlib import Path
from typing import Any

import pytest

from coxswain.settings import Settings
from devtools import charts, processes
from devtools.errors import ToolError
from tests.support import chart

PROD = {
    "mode": "prod",
    "image": {
        "operator": f"registry.example/operator@sha256:{'a' * 64}",
        "agent": f"registry.example/agent@sha256:{'b' * 64}",
    },
    "postgres": {"enabled": False},
    "database": {"existingSecret": "records"},
    "models": {"demoProvider": False},
    "people": {"mode": "kubernetes"},
}


def refused(folder: Path, chosen: dict[str, Any]) -> list[str]:
    """The names of each refusal, as they stand before its reason."""
    with pytest.raises(ToolError) as error:
        chart.render_with(folder, chosen)
    text = str(error.value)
    assert "these values contradict each other" in text
    return re.findall(r"^ +([a-zA-Z.]+(?:, [a-zA-Z.]+)*): ", text, re.MULTILINE)


def test_without_a_mode_nothing_is_rendered() -> None:
    with pytest.raises(ToolError, match="/mode"):
        charts.render(chart.CHART)


def test_a_mode_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="/mode"):
        chart.render_with(tmp_path, {"mode": "production"})


def test_prod_refuses_all_that_is_for_a_first_try_at_once(tmp_path: Path) -> None:
    assert refused(tmp_path, {"mode": "prod"}) == [
        "mode, postgres.enabled",
        "mode, people.mode",
        "mode, models.demoProvider",
        "mode, image.operator",
        "mode, image.agent",
    ]


def test_prod_keeps_no_local_token(tmp_path: Path) -> None:
    people = {"mode": "kubernetes", "keepLocalToken": True}
    assert refused(tmp_path, {**PROD, "people": people}) == ["mode, people.keepLocalToken"]


@pytest.mark.parametrize("mode", ["dev", "prod"])
def test_every_process_is_told_the_mode(tmp_path: Path, mode: str) -> None:
    chosen = {**PROD, "mode": mode, "channels": {"enabled": True}, "sidecar": {"replicas": 1}}
    told = [
        (container["args"][0], each["value"])
        for _, template in chart.pods(chart.render_with(tmp_path, chosen))
        for container in chart.containers(template)
        for each in container.get("env", [])
        if each["name"] == "COXSWAIN_MODE"
    ]
    verbs = ["channels", "egress", "migrate", "models", "operator", "sidecar", "sidecar"]
    assert sorted(told) == [(verb, mode) for verb in verbs]


def test_what_prod_needs_is_enough_for_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chart and the processes agree on what prod is: what one takes the others take."""
    objects = chart.render(chart.PROD)
    seen = set()
    for _, template in chart.pods(objects):
        for container in chart.containers(template):
            verb = (container.get("args") or [""])[0]
            if verb in processes.PROCESSES:
                seen.add(verb)
                _load(monkeypatch, processes.PROCESSES[verb], container)
    assert seen == {"migrate", "operator", "sidecar", "models", "egress"}


def _load(patch: pytest.MonkeyPatch, model: type[Settings], container: dict[str, Any]) -> None:
    with patch.context() as inside:
        for each in container["env"]:
            inside.setenv(each["name"], each.get("value", "given-by-kubernetes"))
        assert model().model_dump()["mode"] == "prod"


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        ({"database": {"existingSecret": "records"}}, "postgres.enabled, database.existingSecret"),
        ({"postgres": {"enabled": False}}, "postgres.enabled, database.existingSecret"),
        ({"database": {"caConfigMap": "ca"}}, "postgres.enabled, database.caConfigMap"),
        (
            {"monitoring": {"podMonitor": {"enabled": True}, "serviceMonitor": {"enabled": True}}},
            "monitoring.serviceMonitor.enabled, monitoring.podMonitor.enabled",
        ),
        (
            {"people": {"groups": {"ops": {"role": "Admin"}}}},
            "people.mode, people.oidc, people.groups",
        ),
        (
            {"people": {"kubernetes": {"audience": "people"}}},
            "people.mode, people.kubernetes.audience",
        ),
        (
            {"people": {"mode": "kubernetes"}, "sidecar": {"localTokenSecret": "token"}},
            "people.mode, people.keepLocalToken, sidecar.localTokenSecret",
        ),
        (
            {"callbacks": {"signing": {"enabled": False, "secretName": "hooks"}}},
            "callbacks.signing.enabled, callbacks.signing.secretName",
        ),
        (
            {"callbacks": {"origins": ["http://a.b:80"]}},
            "callbacks.origins, callbacks.allowedDomains",
        ),
        (
            {"channels": {"polls": {"origins": ["http://a.b:80"]}}},
            "channels.polls.origins, channels.polls.allowedDomains",
        ),
        (
            {"artifacts": {"endpoint": "https://s3.example"}},
            "artifacts.bucket, artifacts.endpoint, artifacts.existingSecret",
        ),
        ({"tls": {"internal": "certManager"}}, "tls.internal, tls.internalIssuerRef.name"),
        (
            {"tls": {"internal": "own", "internalIssuerRef": {"name": "ca"}}},
            "tls.internal, tls.internalIssuerRef.name",
        ),
        ({"egress": {"extraEnv": [{"name": "COXSWAIN_PORTS", "value": "1"}]}}, "egress.extraEnv"),
        ({"models": {"extraEnv": [{"name": "COXSWAIN_MODE", "value": "dev"}]}}, "models.extraEnv"),
    ],
)
def test_a_contradiction_is_refused_by_the_names_of_its_values(
    tmp_path: Path, chosen: dict[str, Any], names: str
) -> None:
    assert refused(tmp_path, chosen) == [names]


def test_all_contradictions_are_named_at_once(tmp_path: Path) -> None:
    chosen = {
        "mode": "prod",
        "postgres": {"enabled": False},
        "callbacks": {"origins": ["http://a.b:80"]},
        "sidecar": {"extraEnv": [{"name": "COXSWAIN_STREAM", "value": "1"}]},
    }
    found = refused(tmp_path, chosen)
    assert len(found) == 7
    assert {"postgres.enabled, database.existingSecret", "sidecar.extraEnv"} <= set(found)


def test_a_setting_without_a_value_of_its_own_goes_into_extra_env(tmp_path: Path) -> None:
    more = [{"name": "COXSWAIN_STREAMS", "value": "9"}, {"name": "SSL_CERT_DIR", "value": "/x"}]
    objects = chart.render_with(tmp_path, {"sidecar": {"extraEnv": more}})
    (given,) = [
        container["env"]
        for _, template in chart.pods(objects)
        for container in chart.containers(template)
        if container["name"] == "sidecar"
    ]
    assert given[-2:] == more
