"""Certificates as openssl makes and reads them."""

import base64
import json
import subprocess
from pathlib import Path

from devtools import kubeconfig, pki


def _text(certificate: Path, *words: str) -> str:
    command = ["openssl", "x509", "-in", str(certificate), "-noout", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_client_certificate_carries_user_and_groups(tmp_path: Path) -> None:
    pair = pki.Authority(tmp_path).issue("eve", "eve", ["readers", "writers"])
    subject = _text(pair.certificate, "-subject", "-nameopt", "RFC2253")
    assert "CN=eve" in subject
    assert "O=readers" in subject
    assert "O=writers" in subject


def test_a_server_certificate_names_hosts_and_addresses(tmp_path: Path) -> None:
    pair = pki.Authority(tmp_path).issue("server", "server", (), ["localhost", "127.0.0.1"])
    names = _text(pair.certificate, "-ext", "subjectAltName")
    assert "DNS:localhost" in names
    assert "IP Address:127.0.0.1" in names


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    first = pki.Authority(tmp_path).issue("eve", "eve").certificate.read_text()
    assert pki.Authority(tmp_path).issue("eve", "eve").certificate.read_text() == first


def test_a_half_made_pair_is_made_again(tmp_path: Path) -> None:
    authority = pki.Authority(tmp_path)
    (tmp_path / "eve.key").write_text("cut off")
    pair = authority.issue("eve", "eve")
    assert "PRIVATE KEY" in pair.key.read_text()


def test_keys_can_be_read_by_their_owner_only(tmp_path: Path) -> None:
    authority = pki.Authority(tmp_path)
    private, _ = authority.signing_keys("tokens")
    for key in (authority.key, authority.issue("eve", "eve").key, private):
        assert key.stat().st_mode & 0o077 == 0


def test_a_kubeconfig_embeds_what_it_needs(tmp_path: Path) -> None:
    authority = pki.Authority(tmp_path)
    pair = authority.issue("eve", "eve")
    path = kubeconfig.write(
        tmp_path / "eve.kubeconfig", "https://127.0.0.1:1", authority.certificate, pair
    )
    user = json.loads(path.read_text())["users"][0]["user"]
    assert base64.b64decode(user["client-key-data"]) == pair.key.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
