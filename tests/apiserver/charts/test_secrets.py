"""The program that makes the installation's Secrets, against a real API server."""

import base64
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from coxswain.rules import audit_keys
from devtools.controlplane import ControlPlane
from devtools.kubectl import Kubectl
from tests.support import chart

PROGRAM = chart.CHART / "files" / "make_secrets.py"
ACCOUNT = "coxswain-secrets"


@pytest.fixture
def kubectl(plane: ControlPlane, namespace: str) -> Kubectl:
    client = Kubectl(plane.kubeconfig)
    home = ("--namespace", namespace)
    client.run(*home, "create", "serviceaccount", ACCOUNT)
    client.run(*home, "create", "role", ACCOUNT, "--verb=create", "--resource=secrets")
    who = f"--serviceaccount={namespace}:{ACCOUNT}"
    client.run(*home, "create", "rolebinding", ACCOUNT, f"--role={ACCOUNT}", who)
    return client


def _run(
    plane: ControlPlane, kubectl: Kubectl, namespace: str, folder: Path, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run the chart's program as its account, as the hook does."""
    token = kubectl.run("--namespace", namespace, "create", "token", ACCOUNT).strip()
    (folder / "token").write_text(token)
    (folder / "ca.crt").write_bytes(plane.ca_file.read_bytes())
    address = urlsplit(plane.url)
    variables = {
        "ACCOUNT": str(folder),
        "NAMESPACE": namespace,
        "KUBERNETES_SERVICE_HOST": str(address.hostname),
        "KUBERNETES_SERVICE_PORT": str(address.port),
        "LOCAL_TOKEN_SECRET": "coxswain-local-token",
        "AUDIT_KEY_SECRET": "coxswain-audit-key",
        "DATABASE_SECRET": "coxswain-database",
        "DATABASE_HOST": "coxswain-postgres.home.svc",
    }
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.read_text()],
        env={**os.environ, **variables, **more},
        capture_output=True,
        text=True,
        check=False,
    )


def _content(kubectl: Kubectl, namespace: str, name: str) -> dict[str, str]:
    data = kubectl.json("--namespace", namespace, "get", "secret", name)["data"]
    return {key: base64.b64decode(text).decode() for key, text in data.items()}


def test_secrets_are_made_once_and_a_repeat_leaves_them_as_they_are(
    plane: ControlPlane, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    first = _run(plane, kubectl, namespace, tmp_path)
    assert first.returncode == 0, first.stderr
    names = ("coxswain-local-token", "coxswain-database", "coxswain-audit-key")
    made = [_content(kubectl, namespace, name) for name in names]
    second = _run(plane, kubectl, namespace, tmp_path)
    assert second.returncode == 0, second.stderr
    assert second.stdout.count("there already") == 3
    assert [_content(kubectl, namespace, name) for name in names] == made


def test_each_role_gets_an_address_of_its_own_and_nothing_is_printed(
    plane: ControlPlane, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    done = _run(plane, kubectl, namespace, tmp_path)
    content = _content(kubectl, namespace, "coxswain-database")
    for role, user in {
        "owner": "coxswain",
        "operator": "coxswain_operator",
        "sidecar": "coxswain_sidecar",
        "gateway": "coxswain_gateway",
    }.items():
        address = urlsplit(content[f"{role}-dsn"])
        assert (address.username, address.password) == (user, content[f"{role}-password"])
        assert (address.hostname, address.path) == ("coxswain-postgres.home.svc", "/coxswain")
    passwords = [text for key, text in content.items() if key.endswith("-password")]
    assert len(set(passwords)) == 5
    assert not [text for text in passwords if text in done.stdout + done.stderr]


def test_the_key_of_the_audit_log_is_one_that_the_operator_reads(
    plane: ControlPlane, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    assert _run(plane, kubectl, namespace, tmp_path).returncode == 0
    written = _content(kubectl, namespace, "coxswain-audit-key")["key"]
    keys = audit_keys.read(written)
    assert keys.public.verifies(keys.sign(b"said"), b"said")


def test_a_certificate_is_kept_as_one_and_made_once(
    plane: ControlPlane, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    maker = (chart.CHART / "files" / "make_certificate.py").read_text()
    made = []
    for _ in range(2):
        folder = tmp_path / "certificate"
        folder.mkdir(exist_ok=True)
        given = {"FOLDER": str(folder), "NAMES": '["localhost"]'}
        subprocess.run([sys.executable, "-c", maker], env={**os.environ, **given}, check=True)
        tls = {"TLS_SECRET": "coxswain-tls", "TLS_FOLDER": str(folder)}
        assert _run(plane, kubectl, namespace, tmp_path, **tls).returncode == 0
        made.append(_content(kubectl, namespace, "coxswain-tls"))
    assert set(made[0]) == {"ca.crt", "tls.crt", "tls.key"}
    assert made[0] == made[1]
    found = kubectl.json("--namespace", namespace, "get", "secret", "coxswain-tls")
    assert found["type"] == "kubernetes.io/tls"


def _lay_out(folder: Path, **secrets: str) -> dict[str, str]:
    """Secrets as make_certificate.py leaves them, each with a text as its key; how the program is told of them."""
    for name, text in secrets.items():
        place = folder / "made" / f"coxswain-inside-{name}"
        place.mkdir(parents=True, exist_ok=True)
        for file in ("tls.crt", "tls.key"):
            (place / file).write_text(text)
    made = str(folder / "made")
    return {"CERTIFICATES_FOLDER": made, "AUTHORITY": "coxswain-inside-authority"}


def _may_replace(kubectl: Kubectl, namespace: str, *names: str) -> None:
    """What the chart's role for certificates says beside creation."""
    home = ("--namespace", namespace)
    given = [f"--resource-name=coxswain-inside-{name}" for name in names]
    words = ["create", "role", "replaces", "--verb=patch", "--resource=secrets", *given]
    kubectl.run(*home, *words)
    who = f"--serviceaccount={namespace}:{ACCOUNT}"
    kubectl.run(*home, "create", "rolebinding", "replaces", "--role=replaces", who)


def test_certificates_are_made_and_later_replaced_and_nothing_else_is_made(
    plane: ControlPlane, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    _may_replace(kubectl, namespace, "models")
    first = _lay_out(tmp_path, authority="signer", models="first")
    assert _run(plane, kubectl, namespace, tmp_path, **first).returncode == 0
    assert _content(kubectl, namespace, "coxswain-inside-authority")["tls.key"] == "signer"
    shutil.rmtree(tmp_path / "made")
    second = _lay_out(tmp_path, models="second")
    assert _run(plane, kubectl, namespace, tmp_path, **second).returncode == 0
    assert _content(kubectl, namespace, "coxswain-inside-models")["tls.key"] == "second"
    found = kubectl.json("--namespace", namespace, "get", "secrets")["items"]
    names = {each["metadata"]["name"] for each in found}
    assert names == {"coxswain-inside-authority", "coxswain-inside-models"}


def test_where_another_authority_stands_nothing_is_signed_by_the_one_that_came_late(
    plane: ControlPlane, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    _may_replace(kubectl, namespace, "models")
    first = _lay_out(tmp_path, authority="signer", models="first")
    assert _run(plane, kubectl, namespace, tmp_path, **first).returncode == 0
    late = _lay_out(tmp_path, authority="late", models="by the late one")
    assert _run(plane, kubectl, namespace, tmp_path, **late).returncode != 0
    assert _content(kubectl, namespace, "coxswain-inside-authority")["tls.key"] == "signer"
    assert _content(kubectl, namespace, "coxswain-inside-models")["tls.key"] == "first"


def test_a_refusal_fails_the_hook(
    plane: ControlPlane, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    kubectl.run("--namespace", namespace, "delete", "rolebinding", ACCOUNT)
    assert _run(plane, kubectl, namespace, tmp_path).returncode != 0
