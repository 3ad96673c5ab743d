"""The program that makes the installation's Secrets, against a real API server."""

import base64
import os
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


def test_a_refusal_fails_the_hook(
    plane: ControlPlane, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    kubectl.run("--namespace", namespace, "delete", "rolebinding", ACCOUNT)
    assert _run(plane, kubectl, namespace, tmp_path).returncode != 0
