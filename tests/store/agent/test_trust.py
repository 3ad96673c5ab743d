"""Whom the agent program trusts, and what the operator tells it of them."""

import ssl
from asyncio import sslproto
from pathlib import Path

import pytest

from coxswain.errors import ConfigurationError
from coxswain.process import services
from coxswain_agent import trust
from devtools.pki import Authority


def test_it_trusts_the_installations_authority_alone_and_checks_names(pki: Path) -> None:
    file = Authority(pki).certificate
    context = trust.context(file)
    assert context is not None
    assert len(context.get_ca_certs()) == 1
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_a_connection_over_tls_takes_no_more_than_two_records_of_memory(pki: Path) -> None:
    trust.context(Authority(pki).certificate)
    assert sslproto.SSLProtocol.max_size == trust.BUFFER_BYTES


def test_plain_doors_need_nobody() -> None:
    assert trust.context(None) is None


def test_a_file_that_is_none_is_refused_by_the_name_of_its_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="COXSWAIN_CA_FILE"):
        trust.context(tmp_path / "none")


def test_the_operator_hands_on_what_its_file_holds_and_no_more_than_a_pod_takes(
    pki: Path, tmp_path: Path
) -> None:
    file = Authority(pki).certificate
    assert services.authority(file) == file.read_text()
    long = tmp_path / "ca.crt"
    long.write_text(file.read_text() + "#" * services.MOST_CHARACTERS)
    with pytest.raises(ConfigurationError, match="is longer than"):
        services.authority(long)
