"""Makes an authority for this installation alone and a certificate that it signs. The chart runs this text.

The authority's key is not kept, so it signs nothing else. FOLDER gets ca.crt, tls.crt and tls.key; NAMES
are the names of the API, as a list in JSON.
"""

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAYS = 3650
PEM = serialization.Encoding.PEM


def certificate(names: list[str]) -> dict[str, bytes]:
    """The content of the Secret."""
    signer, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = _name("coxswain installation")
    authority = (
        _unsigned(issuer, issuer, signer.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(signer, hashes.SHA256())
    )
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    known = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    leaf = (
        _unsigned(_name("coxswain api"), issuer, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(known, critical=False)
        .add_extension(by, critical=False)
        .sign(signer, hashes.SHA256())
    )
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return {
        "ca.crt": authority.public_bytes(PEM),
        "tls.crt": leaf.public_bytes(PEM),
        "tls.key": key.private_bytes(PEM, form, plain),
    }


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    # An hour back, for clocks that are behind.
    begin = datetime.now(UTC) - timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def main() -> int:
    """Write them."""
    folder = Path(os.environ["FOLDER"])
    for name, content in certificate(json.loads(os.environ["NAMES"])).items():
        (folder / name).write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
