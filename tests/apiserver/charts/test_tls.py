"""TLS as the chart sets it up: whose certificate, where it is mounted, and who may still come without it."""

from pathlib import Path
from typing import Any

import pytest

from devtools.errors import ToolError
from tests.support import chart

FILES = {"COXSWAIN_CERTIFICATE_FILE", "COXSWAIN_CERTIFICATE_KEY_FILE"}
MODES: dict[str, dict[str, Any]] = {
    "own": {"mode": "own", "dnsNames": ["api.example.com"]},
    "secret": {"mode": "secret", "secretName": "my-certificate"},
    "certManager": {"mode": "certManager", "issuerRef": {"name": "letsencrypt"}},
}


def sidecars(objects: list[chart.Body]) -> list[tuple[chart.Body, chart.Body]]:
    return [
        (template, container)
        for _, template in chart.pods(objects)
        for container in chart.containers(template)
        if container["name"] == "sidecar"
    ]


def test_by_default_users_have_no_port_of_their_own_and_nothing_of_it() -> None:
    objects = chart.render()
    for _, template in chart.pods(objects):
        assert "tls" not in {each["name"] for each in template["spec"].get("volumes", [])}
        for container in chart.containers(template):
            given = {each["name"] for each in container.get("env", [])}
            assert not given & {*FILES, "COXSWAIN_REDIRECT_PORT", "TLS_SECRET", "NAMES"}
    ports = chart.find(objects, "Service", "coxswain-api")["spec"]["ports"]
    assert [each["port"] for each in ports] == [8080]


@pytest.mark.parametrize(
    ("mode", "secret"),
    [("own", "coxswain-tls"), ("secret", "my-certificate"), ("certManager", "coxswain-tls")],
)
def test_every_api_mounts_the_secret_whole_so_that_a_new_certificate_comes_in(
    tmp_path: Path, mode: str, secret: str
) -> None:
    objects = chart.render_with(tmp_path, {"tls": MODES[mode], "sidecar": {"replicas": 1}})
    found = sidecars(objects)
    assert len(found) == 2
    for template, container in found:
        given = {each["name"]: each.get("value") for each in container["env"]}
        assert given.keys() >= FILES
        (mount,) = [each for each in container["volumeMounts"] if each["name"] == "tls"]
        assert "subPath" not in mount
        assert {str(Path(given[name]).parent) for name in FILES} == {mount["mountPath"]}
        (volume,) = [each for each in template["spec"]["volumes"] if each["name"] == "tls"]
        assert volume["secret"]["secretName"] == secret
        assert "ca.key" not in str(volume)


def test_only_the_api_mounts_the_key(tmp_path: Path) -> None:
    objects = chart.render_with(tmp_path, {"tls": MODES["secret"], "channels": {"enabled": True}})
    mounting = {
        container["name"]
        for _, template in chart.pods(objects)
        for container in chart.containers(template)
        if any(each["name"] == "tls" for each in container.get("volumeMounts", []))
    }
    assert mounting == {"sidecar"}


def test_an_own_certificate_is_made_by_the_hook_and_by_no_render() -> None:
    objects = chart.render(chart.TLS)
    assert not chart.of_kind(objects, "Secret")
    job = chart.find(objects, "Job", "coxswain-secrets")["spec"]["template"]["spec"]
    (maker,) = job["initContainers"]
    given = {each["name"]: each["value"] for each in maker["env"]}
    assert '"coxswain-api.coxswain-system.svc"' in given["NAMES"]
    assert '"api.example.com"' in given["NAMES"]
    (keeper,) = job["containers"]
    told = {each["name"]: each.get("value") for each in keeper["env"]}
    assert (told["TLS_SECRET"], told["TLS_FOLDER"]) == ("coxswain-tls", given["FOLDER"])
    assert not any(mount["name"] == "account" for mount in maker["volumeMounts"])


@pytest.mark.parametrize("mode", ["secret", "certManager"])
def test_otherwise_the_hook_makes_none(tmp_path: Path, mode: str) -> None:
    objects = chart.render_with(tmp_path, {"tls": MODES[mode]})
    job = chart.find(objects, "Job", "coxswain-secrets")["spec"]["template"]["spec"]
    assert "initContainers" not in job
    assert "TLS_SECRET" not in str(job["containers"][0]["env"])


def test_cert_manager_is_asked_for_the_names_of_the_api(tmp_path: Path) -> None:
    tls = {**MODES["certManager"], "dnsNames": ["api.example.com"]}
    (asked,) = chart.of_kind(chart.render_with(tmp_path, {"tls": tls}), "Certificate")
    spec = asked["spec"]
    assert spec["secretName"] == "coxswain-tls"
    assert {"api.example.com", "coxswain-api.coxswain-system.svc"} <= set(spec["dnsNames"])
    assert spec["issuerRef"] == {
        "name": "letsencrypt",
        "kind": "Issuer",
        "group": "cert-manager.io",
    }


def test_with_tls_for_users_only_agents_reach_their_door() -> None:
    objects = chart.render(chart.TLS)
    rules = chart.find(objects, "NetworkPolicy", "coxswain-api")["spec"]["ingress"]
    ingress = {"kubernetes.io/metadata.name": "ingress"}
    by_port = {each["port"]: rule["from"] for rule in rules for each in rule["ports"]}
    assert [peer["podSelector"]["matchExpressions"][0]["key"] for peer in by_port[8080]] == [
        "coxswain.dev/agent"
    ]
    for port in (8443, 8081):
        assert [peer["namespaceSelector"]["matchLabels"] for peer in by_port[port]] == [ingress]


@pytest.mark.parametrize("leads", [True, False])
def test_the_service_serves_https_and_leads_from_its_port_80_where_wanted(
    tmp_path: Path, *, leads: bool
) -> None:
    tls = {**MODES["own"], "port": 8443, "redirect": leads}
    objects = chart.render_with(tmp_path, {"tls": tls})
    ports = chart.find(objects, "Service", "coxswain-api")["spec"]["ports"]
    # The operator reads the agents' door from the first.
    assert ports[0]["port"] == 8080
    found = {each["name"]: each for each in ports}
    assert (found["https"]["port"], found["https"]["targetPort"]) == (8443, "api-https")
    assert ("redirect" in found) == leads
    named = {each["name"] for each in sidecars(objects)[0][1]["ports"]}
    assert {each["targetPort"] for each in ports} <= named
    given = {each["name"]: each.get("value") for each in sidecars(objects)[0][1]["env"]}
    assert given.get("COXSWAIN_REDIRECT_TO") == ("8443" if leads else None)


@pytest.mark.parametrize(
    ("tls", "names"),
    [
        ({"mode": "secret"}, "tls.mode, tls.secretName"),
        ({"secretName": "mine"}, "tls.mode, tls.secretName"),
        ({"mode": "certManager"}, "tls.mode, tls.issuerRef.name"),
        ({"mode": "own", "issuerRef": {"name": "x"}}, "tls.mode, tls.issuerRef.name"),
        ({"dnsNames": ["a.example"]}, "tls.mode, tls.dnsNames"),
        ({"mode": "own", "port": 8080}, "tls.port"),
        ({"mode": "own", "port": 80}, "tls.port, tls.redirect"),
        ({"mode": "off"}, "/tls/mode"),
        ({"mode": "own", "dnsNames": ["a b"]}, "/tls/dnsNames/0"),
    ],
)
def test_half_a_configuration_is_refused(tmp_path: Path, tls: dict[str, Any], names: str) -> None:
    with pytest.raises(ToolError, match=names):
        chart.render_with(tmp_path, {"tls": tls})


def test_whoever_speaks_to_the_database_finds_who_signed_its_certificate(tmp_path: Path) -> None:
    found = set()
    for _, template in chart.pods(chart.render(chart.EXTERNAL_DATABASE, _with_channels(tmp_path))):
        volumes = {each["name"]: each for each in template["spec"].get("volumes", [])}
        for container in chart.containers(template):
            given = {each["name"] for each in container.get("env", [])}
            mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
            assert ("COXSWAIN_DATABASE_DSN" in given) == ("database-ca" in mounts)
            if "database-ca" in mounts:
                found.add(container["name"])
                assert mounts["database-ca"] == "/run/coxswain/database"
                assert volumes["database-ca"]["configMap"]["name"] == "my-database-ca"
    assert found == {"migrate", "operator", "sidecar", "models", "egress", "channels"}


def _with_channels(folder: Path) -> Path:
    file = folder / "channels.json"
    file.write_text('{"channels": {"enabled": true}}')
    return file
