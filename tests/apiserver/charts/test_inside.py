"""TLS inside the cluster as the chart sets it up: who shows what, who trusts whom, and who makes certificates."""

from pathlib import Path
from typing import Any

import pytest

from tests.support import chart

DOORS = {"sidecar": "api", "models": "models", "egress": "egress", "channels": "channels"}
SERVICES = [*DOORS.values(), "postgres"]
FILES = ("COXSWAIN_DOOR_CERTIFICATE_FILE", "COXSWAIN_DOOR_CERTIFICATE_KEY_FILE")
MODES: dict[str, dict[str, Any]] = {
    "own": {"internal": "own"},
    "certManager": {"internal": "certManager", "internalIssuerRef": {"name": "inside"}},
    "secret": {"internal": "secret"},
}
Body = chart.Body


@pytest.fixture(scope="module")
def own() -> list[Body]:
    return chart.render(chart.INSIDE)


def containers(objects: list[Body]) -> list[tuple[Body, Body]]:
    return [
        (template, container)
        for _, template in chart.pods(objects)
        for container in chart.containers(template)
    ]


def told(container: Body) -> dict[str, Any]:
    return {each["name"]: each.get("value") for each in container.get("env", [])}


def mounted(template: Body, container: Body, name: str) -> tuple[str, Body]:
    """Where a container mounts a volume, and the volume."""
    (mount,) = [each for each in container["volumeMounts"] if each["name"] == name]
    assert "subPath" not in mount
    (volume,) = [each for each in template["spec"]["volumes"] if each["name"] == name]
    return mount["mountPath"], volume


def test_by_default_all_inside_speaks_tls_by_an_authority_of_its_own() -> None:
    objects = chart.render()
    for name in ("api", "models", "egress"):
        ports = chart.find(objects, "Service", f"coxswain-{name}")["spec"]["ports"]
        assert ports[0]["appProtocol"] == "https"
    showing = {
        container["name"]
        for _, container in containers(objects)
        if {FILES[0], "COXSWAIN_CERTIFICATE_FOLDER"} & told(container).keys()
    }
    assert showing == {"sidecar", "models", "egress", "postgres"}
    assert len(makers(objects)) == 2
    assert not chart.of_kind(objects, "Certificate")


def test_where_it_is_switched_off_nothing_inside_speaks_tls() -> None:
    objects = chart.render(chart.PLAIN)
    assert "coxswain-inside" not in str(objects)
    assert FILES[0] not in str(objects)
    assert "sslmode" not in str(objects)
    assert not chart.of_kind(objects, "CronJob")
    for name in ("api", "models", "egress", "channels"):
        ports = chart.find(objects, "Service", f"coxswain-{name}")["spec"]["ports"]
        assert ports[0]["appProtocol"] == "http"


@pytest.mark.parametrize("mode", MODES)
def test_every_door_shows_the_certificate_of_its_service(tmp_path: Path, mode: str) -> None:
    chosen = {"tls": MODES[mode], "channels": {"enabled": True}, "sidecar": {"replicas": 1}}
    objects = chart.render_with(tmp_path, chosen)
    seen = []
    for template, container in containers(objects):
        given = told(container)
        if container["name"] not in DOORS:
            assert FILES[0] not in given
            continue
        seen.append(container["name"])
        path, volume = mounted(template, container, "inside")
        assert {str(Path(given[name]).parent) for name in FILES} == {path}
        wanted = f"coxswain-inside-{DOORS[container['name']]}"
        assert volume["secret"]["secretName"] == wanted
    assert sorted(seen) == ["channels", "egress", "models", "sidecar", "sidecar"]
    for name in DOORS.values():
        ports = chart.find(objects, "Service", f"coxswain-{name}")["spec"]["ports"]
        assert ports[0]["appProtocol"] == "https"


def test_a_key_is_mounted_by_its_own_process_alone(own: list[Body]) -> None:
    for template, container in containers(own):
        mounts = {each["name"] for each in container.get("volumeMounts", [])}
        for volume in template["spec"].get("volumes", []):
            if volume["name"] in mounts and "tls.key" in str(volume):
                is_maker = volume["name"] == "standing" and container["name"] == "certificates"
                shows = volume["name"] == "inside" and container["name"] in {*DOORS, "postgres"}
                assert is_maker or shows, container["name"]


def test_the_operator_tells_agents_whom_to_trust_and_has_no_key(own: list[Body]) -> None:
    ((template, operator),) = [each for each in containers(own) if each[1]["name"] == "operator"]
    path, volume = mounted(template, operator, "doors-ca")
    assert told(operator)["COXSWAIN_DOORS_CA_FILE"] == f"{path}/ca.crt"
    assert [each["key"] for each in volume["secret"]["items"]] == ["ca.crt"]
    assert "inside" not in {each["name"] for each in operator["volumeMounts"]}


def test_every_process_comes_to_the_bundled_postgres_over_tls_and_knows_it_by_name(
    own: list[Body],
) -> None:
    seen = set()
    for template, container in containers(own):
        given = told(container)
        if "COXSWAIN_DATABASE_DSN" not in given:
            continue
        seen.add(container["name"])
        path, volume = mounted(template, container, "database-ca")
        query = f"?sslmode=verify-full&sslrootcert={path}/ca.crt"
        assert given["COXSWAIN_DATABASE_DSN"] == f"$(DATABASE_ADDRESS){query}"
        # Kubernetes puts in only what stands before.
        names = [each["name"] for each in container["env"]]
        assert names.index("DATABASE_ADDRESS") < names.index("COXSWAIN_DATABASE_DSN")
        assert volume["secret"] == {
            "secretName": "coxswain-inside-postgres",
            "items": [{"key": "ca.crt", "path": "ca.crt"}],
        }
    assert seen == {"migrate", "operator", "sidecar", "models", "egress", "channels"}


def test_the_bundled_postgres_shows_a_pair_that_only_its_user_reads(own: list[Body]) -> None:
    found = chart.find(own, "StatefulSet", "coxswain-postgres")["spec"]["template"]
    (server,) = found["spec"]["containers"]
    path, volume = mounted(found, server, "inside")
    assert told(server)["COXSWAIN_CERTIFICATE_FOLDER"] == path
    assert volume["secret"]["secretName"] == "coxswain-inside-postgres"
    # Postgres refuses a key that others may read.
    assert volume["secret"]["defaultMode"] == 0o440


def test_a_database_of_ones_own_stays_as_its_addresses_say(tmp_path: Path) -> None:
    chosen = {
        "tls": {"internal": "own"},
        "postgres": {"enabled": False},
        "database": {"existingSecret": "mine"},
    }
    objects = chart.render_with(tmp_path, chosen)
    assert "sslmode" not in str(objects)
    assert "coxswain-inside-postgres" not in str(objects)
    assert "coxswain-inside-models" in str(objects)


def test_probes_ask_the_health_ports_in_plain_http(own: list[Body]) -> None:
    for _, container in containers(own):
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            asked = container.get(kind, {}).get("httpGet", {})
            assert asked.get("scheme", "HTTP") == "HTTP"
            assert "health" in asked.get("port", "health")


def makers(objects: list[Body]) -> list[Body]:
    hook = chart.find(objects, "Job", "coxswain-certificates-hook")["spec"]["template"]["spec"]
    daily = chart.find(objects, "CronJob", "coxswain-renewal")["spec"]["jobTemplate"]["spec"]
    return [hook, daily["template"]["spec"]]


def test_the_hook_makes_what_is_missing_and_every_day_what_ends_is_made_anew(
    own: list[Body],
) -> None:
    hook, daily = makers(own)
    accounts = [each["serviceAccountName"] for each in (hook, daily)]
    assert accounts == ["coxswain-certificates-hook", "coxswain-certificates"]
    assert hook == {**daily, "serviceAccountName": accounts[0]}
    (maker,) = hook["initContainers"]
    wanted = told(maker)["WANTED"]
    for service in SERVICES:
        assert f'"coxswain-inside-{service}"' in wanted
        assert f'"coxswain-{service}.coxswain-system.svc"' in wanted


def test_what_sees_the_authoritys_key_has_no_account_and_what_has_one_may_read_no_secret(
    own: list[Body],
) -> None:
    for spec in makers(own):
        (maker,), (writer,) = spec["initContainers"], spec["containers"]
        mounts = [{each["name"] for each in one["volumeMounts"]} for one in (maker, writer)]
        assert mounts == [{"made", "standing"}, {"made", "account"}]
    for name in ("coxswain-certificates-hook", "coxswain-certificates"):
        rules = chart.find(own, "Role", name)["rules"]
        assert [each["verbs"] for each in rules] == [["create"], ["patch"]]
        assert set(rules[1]["resourceNames"]) == {f"coxswain-inside-{each}" for each in SERVICES}


def test_the_hooks_account_goes_with_it_and_the_other_stays(own: list[Body]) -> None:
    for kind in ("ServiceAccount", "Role", "RoleBinding"):
        hooked = chart.find(own, kind, "coxswain-certificates-hook")["metadata"]
        assert hooked["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
        stays = chart.find(own, kind, "coxswain-certificates")["metadata"]
        assert "helm.sh/hook" not in stays.get("annotations", {})


def test_what_stands_may_be_missing(own: list[Body]) -> None:
    for spec in makers(own):
        (volume,) = [each for each in spec["volumes"] if each["name"] == "standing"]
        sources = [each["secret"] for each in volume["projected"]["sources"]]
        assert all(each["optional"] for each in sources)
        keys = [each["name"] for each in sources if "tls.key" in str(each["items"])]
        assert keys == ["coxswain-inside-authority"]


def test_what_makes_certificates_reaches_the_api_server_alone(own: list[Body]) -> None:
    policy = chart.find(own, "NetworkPolicy", "coxswain-certificates")["spec"]
    labels = policy["podSelector"]["matchLabels"]
    job = chart.find(own, "CronJob", "coxswain-renewal")["spec"]["jobTemplate"]["spec"]
    assert labels.items() <= job["template"]["metadata"]["labels"].items()
    assert "ingress" not in policy
    (rule,) = policy["egress"]
    assert {each["port"] for each in rule["ports"]} == {443, 6443}


@pytest.mark.parametrize("mode", ["certManager", "secret"])
def test_otherwise_nothing_of_ours_makes_certificates(tmp_path: Path, mode: str) -> None:
    objects = chart.render_with(tmp_path, {"tls": MODES[mode]})
    assert not chart.of_kind(objects, "CronJob")
    assert "certificates" not in str([each["metadata"]["name"] for each in objects])


def test_cert_manager_is_asked_for_each_service_by_its_names(tmp_path: Path) -> None:
    objects = chart.render_with(tmp_path, {"tls": MODES["certManager"]})
    found = {
        each["spec"]["secretName"]: each["spec"] for each in chart.of_kind(objects, "Certificate")
    }
    assert set(found) == {f"coxswain-inside-{each}" for each in SERVICES if each != "channels"}
    models = found["coxswain-inside-models"]
    assert "coxswain-models.coxswain-system.svc" in models["dnsNames"]
    assert models["issuerRef"]["name"] == "inside"
