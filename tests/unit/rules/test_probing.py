"""What only a scanner asks for, and what it must not be taken for."""

import pytest

from coxswain.rules import probing


@pytest.mark.parametrize(
    "path",
    [
        "/.env",
        "/.env.production?x=1",
        "/.git/config",
        "/app/.aws/credentials",
        "/%2eenv",
        "/%252egit/HEAD",
        "/..%2f.ssh/id_rsa",
        "/\\.env",
        "/wp-login.php",
        "/wp-admin/setup-config.php",
        "/blog/wp-includes/wlwmanifest.xml",
        "/xmlrpc.php",
        "/secrets",
        "/secrets.json",
        "/api/secret/",
        "/config/credentials.yml",
        "/etc/passwd",
        "/backup.sql",
        "/id_rsa",
        "/server.key",
        "/terraform.tfstate",
        "/phpmyadmin/index.php",
        "/actuator/env",
        "/v1/../.env",
    ],
)
def test_a_path_of_a_scanner_is_one(path: str) -> None:
    assert probing.is_probe(path)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/docs",
        "/favicon.ico",
        "/.well-known/security.txt",
        "/v1/openapi.json",
        "/v1/hooks/team/secrets",
        "/v1/run/artifacts/.env",
        "/v1/workspaces/backup/jobs/dump",
        "/monkey",
        "/.",
    ],
)
def test_a_path_of_ours_or_a_plain_mistake_is_none(path: str) -> None:
    assert not probing.is_probe(path)
