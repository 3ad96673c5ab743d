"""Settings: environment before file, every bad key named at once, and nothing falls back."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from coxswain import settings
from coxswain.channel_settings import ChannelGatewaySettings
from coxswain.errors import ConfigurationError
from coxswain.settings import (
    EgressGatewaySettings,
    MigrateSettings,
    ModelGatewaySettings,
    OperatorSettings,
    Settings,
    SidecarSettings,
    StoreSettings,
)

PROCESSES = [
    OperatorSettings,
    SidecarSettings,
    ModelGatewaySettings,
    EgressGatewaySettings,
    ChannelGatewaySettings,
    MigrateSettings,
]
REQUIRED = {
    "database_dsn": "postgresql://somebody:word@postgres/coxswain",
    "mode": "dev",
    "installation": "test",
    "namespace": "coxswain-system",
    "identity": "one",
    "agent_image": "registry.example/agent:1",
}

ISSUER = "https://issuer.example"


@pytest.fixture(autouse=True)
def _without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("COXSWAIN_"):
            monkeypatch.delenv(name)


def say(patch: pytest.MonkeyPatch, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        patch.setenv(f"COXSWAIN_{name.upper()}", value)


def write(patch: pytest.MonkeyPatch, folder: Path, text: str) -> Path:
    file = folder / "coxswain.toml"
    file.write_text(text)
    patch.setenv("COXSWAIN_CONFIG_FILE", str(file))
    return file


def required(model: type[Settings]) -> dict[str, str]:
    return {name: REQUIRED[name] for name, each in model.model_fields.items() if each.is_required()}


def test_the_environment_beats_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write(monkeypatch, tmp_path, 'port = 1111\nhealth_port = 2222\ninstallation = "of-the-file"\n')
    said = {name: REQUIRED[name] for name in ("database_dsn", "mode")}
    say(monkeypatch, {**said, "port": "3333"})
    loaded = settings.load(SidecarSettings)
    assert (loaded.port, loaded.health_port) == (3333, 2222)
    assert loaded.installation == "of-the-file"


def test_a_refusal_names_every_bad_key_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(monkeypatch, tmp_path, 'workers = 0\nlanguage = "latin"\nnamespace = "system"\n')
    say(monkeypatch, {"lease_seconds": "soon", "log_level": "loud", "installation": "Not This"})
    with pytest.raises(ConfigurationError) as refused:
        settings.load(OperatorSettings)
    named = {line.split(":")[0].strip() for line in refused.value.message.splitlines()[1:]}
    missing = {"DATABASE_DSN", "MODE", "IDENTITY", "AGENT_IMAGE"}
    wrong = {"WORKERS", "LANGUAGE", "LEASE_SECONDS", "LOG_LEVEL", "INSTALLATION"}
    assert named == {f"COXSWAIN_{key}" for key in missing | wrong}


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (SidecarSettings, {"port": "9090"}),
        (ModelGatewaySettings, {"port": "1", "health_port": "1"}),
        (ModelGatewaySettings, {"door_certificate_file": "tls.crt"}),
        (SidecarSettings, {"door_certificate_key_file": "tls.key"}),
        (EgressGatewaySettings, {"door_certificate_key_file": "tls.key"}),
        (ChannelGatewaySettings, {"door_certificate_file": "tls.crt"}),
        (ModelGatewaySettings, {"provider_silence_seconds": "9", "provider_total_seconds": "8"}),
        (OperatorSettings, {"models_service": "door", "api_service": "door"}),
        (OperatorSettings, {"models_service": "door", "egress_service": "door"}),
        (EgressGatewaySettings, {"egress_idle_seconds": "9", "egress_total_seconds": "8"}),
        (EgressGatewaySettings, {"egress_connections": "9", "egress_connections_per_run": "10"}),
        (EgressGatewaySettings, {"callbacks_signing": "false", "callbacks_signing_secret": "ours"}),
        (EgressGatewaySettings, {"callbacks_origins": '["http://hooks.internal:8080"]'}),
        (SidecarSettings, {"artifacts_bucket": "files"}),
        (SidecarSettings, {"people": "oidc"}),
        (SidecarSettings, {"people": "oidc", "oidc_issuer": ISSUER, "oidc_audience": "api"}),
        (SidecarSettings, {"people": "kubernetes", "oidc_issuer": ISSUER}),
        (SidecarSettings, {"people_groups": '{"ops": {"role": "Admin"}}'}),
        (SidecarSettings, {"people": "local", "kubernetes_audience": "people"}),
        (SidecarSettings, {"people": "kubernetes", "local_token_file": "token"}),
        (SidecarSettings, {"artifacts_access_key_id": "k", "artifacts_secret_access_key": "s"}),
        (ChannelGatewaySettings, {"port": "9090"}),
        (ChannelGatewaySettings, {"polls_origins": '["http://status.internal:8080"]'}),
    ],
)
def test_settings_that_contradict_each_other_are_refused_with_their_names(
    monkeypatch: pytest.MonkeyPatch, model: type[Settings], said: Mapping[str, str]
) -> None:
    say(monkeypatch, {**required(model), **said})
    with pytest.raises(ConfigurationError) as refused:
        settings.load(model)
    (line,) = refused.value.message.splitlines()[1:]
    assert all(f"COXSWAIN_{name.upper()}" in line for name in said)


def test_a_wrong_value_in_the_environment_does_not_fall_back_to_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(monkeypatch, tmp_path, "port = 1111\n")
    say(monkeypatch, {**required(SidecarSettings), "port": "many"})
    with pytest.raises(ConfigurationError, match="COXSWAIN_PORT"):
        settings.load(SidecarSettings)


@pytest.mark.parametrize("text", [None, "port = = 1\n"])
def test_a_file_that_cannot_be_read_does_not_fall_back_to_defaults(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None
) -> None:
    file = write(monkeypatch, tmp_path, text or "")
    if text is None:
        file.unlink()
    say(monkeypatch, required(SidecarSettings))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        settings.load(SidecarSettings)


def test_a_list_that_is_no_json_is_refused_by_its_name_with_all_else_that_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = {"provider_base_urls": "http://one", "port": "many", "provider_total_seconds": "1"}
    say(monkeypatch, {**required(ModelGatewaySettings), **wrong})
    with pytest.raises(ConfigurationError) as refused:
        settings.load(ModelGatewaySettings)
    lines = refused.value.message.splitlines()[1:]
    assert len(lines) == 3
    assert any("PROVIDER_BASE_URLS: Input should be a valid list as JSON" in each for each in lines)
    assert any("COXSWAIN_PORT: " in each for each in lines)
    assert any("SILENCE_SECONDS, COXSWAIN_PROVIDER_TOTAL_SECONDS: " in each for each in lines)


def test_a_contradiction_with_a_setting_that_is_wrong_itself_is_not_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    say(monkeypatch, {**required(SidecarSettings), "port": "many", "health_port": "8080"})
    with pytest.raises(ConfigurationError) as refused:
        settings.load(SidecarSettings)
    (line,) = refused.value.message.splitlines()[1:]
    assert line.strip().startswith("COXSWAIN_PORT: ")


@pytest.mark.parametrize("model", PROCESSES)
def test_a_contradiction_names_settings_that_its_process_has(model: type[Settings]) -> None:
    assert all(each.keys <= model.model_fields.keys() for each in model.CONTRADICTIONS)


@pytest.mark.parametrize("model", PROCESSES)
@pytest.mark.parametrize("mode", [None, "", "production"])
def test_no_process_guesses_what_it_is_for(
    monkeypatch: pytest.MonkeyPatch, model: type[Settings], mode: str | None
) -> None:
    say(monkeypatch, {**required(model), "mode": mode or ""})
    if mode is None:
        monkeypatch.delenv("COXSWAIN_MODE")
    with pytest.raises(ConfigurationError, match="COXSWAIN_MODE: "):
        settings.load(model)


PROD: Mapping[type[Settings], dict[str, str]] = {
    SidecarSettings: {"people": "kubernetes"},
    ModelGatewaySettings: {"demo_provider": "false"},
    OperatorSettings: {"audit_key_file": "/keys/audit"},
}


@pytest.mark.parametrize("model", PROCESSES)
def test_prod_takes_what_is_meant_for_production(
    monkeypatch: pytest.MonkeyPatch, model: type[Settings]
) -> None:
    say(monkeypatch, {**required(model), "mode": "prod", **PROD.get(model, {})})
    loaded = settings.load(model)
    assert isinstance(loaded, StoreSettings)
    assert loaded.mode == "prod"


@pytest.mark.parametrize(
    ("model", "said", "named"),
    [
        (SidecarSettings, {}, ["PEOPLE"]),
        (
            SidecarSettings,
            {"people": "kubernetes", "local_token_file": "token", "local_token_kept": "true"},
            ["LOCAL_TOKEN_KEPT"],
        ),
        (SidecarSettings, {"local_token_kept": "true"}, ["PEOPLE", "LOCAL_TOKEN_KEPT"]),
        (ModelGatewaySettings, {}, ["DEMO_PROVIDER"]),
        (OperatorSettings, {}, ["AUDIT_KEY_FILE"]),
    ],
)
def test_prod_refuses_every_part_for_a_first_try_by_name_and_dev_takes_it(
    monkeypatch: pytest.MonkeyPatch, model: type[Settings], said: dict[str, str], named: list[str]
) -> None:
    say(monkeypatch, {**required(model), **said})
    settings.load(model)
    say(monkeypatch, {"mode": "prod"})
    with pytest.raises(ConfigurationError) as refused:
        settings.load(model)
    lines = [line.strip() for line in refused.value.message.splitlines()[1:]]
    assert [line.partition(": ")[0] for line in lines] == [
        f"COXSWAIN_MODE, COXSWAIN_{name}" for name in named
    ]


def test_a_refusal_does_not_repeat_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    canary = "word-that-nobody-may-read"
    say(monkeypatch, {"database_dsn": f"postgresql://a:{canary}@b/c", "port": canary})
    with pytest.raises(ConfigurationError) as refused:
        settings.load(SidecarSettings)
    assert canary not in refused.value.message


@pytest.mark.parametrize("model", PROCESSES)
def test_ports_paths_and_addresses_have_defaults_and_can_be_said(
    monkeypatch: pytest.MonkeyPatch, model: type[Settings]
) -> None:
    say(monkeypatch, required(model))
    places = {
        name: field
        for name, field in model.model_fields.items()
        if name.endswith(("port", "_file", "_folder", "kubeconfig")) or name == "bind"
    }
    assert not [name for name, field in places.items() if field.default is PydanticUndefined]
    said = {
        name: str(1234 + number) if name.endswith("port") else "/elsewhere"
        for number, name in enumerate(places)
    }
    say(monkeypatch, said)
    loaded = settings.load(model)
    assert {name: str(getattr(loaded, name)) for name in places} == said


@pytest.mark.parametrize(
    "prefix", ["..", "../", "a/../b/", "./", "a/./", "/", "/a/", "a//b/", "a//"]
)
def test_a_prefix_of_keys_with_an_empty_part_or_one_of_dots_is_refused(
    monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    say(monkeypatch, {**required(SidecarSettings), "artifacts_prefix": prefix})
    with pytest.raises(ConfigurationError, match="COXSWAIN_ARTIFACTS_PREFIX"):
        settings.load(SidecarSettings)


@pytest.mark.parametrize("prefix", ["", "coxswain/", "a/b.c/..d-", "team"])
def test_a_prefix_of_keys_may_have_parts_and_an_open_end(
    monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    say(monkeypatch, {**required(SidecarSettings), "artifacts_prefix": prefix})
    assert settings.load(SidecarSettings).artifacts_prefix == prefix


def test_a_local_token_may_be_kept_where_people_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {"people": "kubernetes", "local_token_file": "token", "local_token_kept": "true"}
    say(monkeypatch, {**required(SidecarSettings), **kept})
    assert settings.load(SidecarSettings).local_token_kept


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"oidc_issuer": "http://issuer.example"}, "COXSWAIN_OIDC_ISSUER"),
        ({"people_groups": '{"ops": {"role": "Owner"}}'}, "COXSWAIN_PEOPLE_GROUPS_OPS_ROLE"),
        ({"people_groups": '{"ops": {"role": "Read", "workspaces": []}}'}, "WORKSPACES"),
        ({"people": "saml"}, "COXSWAIN_PEOPLE"),
        ({"onboarded_workspaces": '["Demo"]'}, "COXSWAIN_ONBOARDED_WORKSPACES"),
    ],
)
def test_a_wrong_way_in_is_refused_with_its_place(
    monkeypatch: pytest.MonkeyPatch, said: Mapping[str, str], field: str
) -> None:
    say(monkeypatch, {**required(SidecarSettings), **said})
    with pytest.raises(ConfigurationError, match=field):
        settings.load(SidecarSettings)
