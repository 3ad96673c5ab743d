"""Makes certificates of this installation alone, and who signs them. The chart runs this text.

With NAMES, a list in JSON: a certificate for users of the API. Its authority's key is not kept, so that it signs
nothing else. FOLDER gets ca.crt, tls.crt and tls.key.

With WANTED, in JSON the names of each Secret with a certificate for inside the cluster: the folder STANDING has
what is there, of each Secret in a folder. FOLDER gets one for each that is missing, ends soon, or has other names
or another signer; and one for AUTHORITY where none stands, whose key is kept.
"""

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAYS = 3650
INSIDE_DAYS = 90
RENEWED_DAYS = 30
PEM = serialization.Encoding.PEM

Content = dict[str, bytes]


class Authority(NamedTuple):
    """Who signs."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def authority() -> Authority:
    """A new one."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("coxswain installation")
    made = (
        _unsigned(name, name, key.public_key(), DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(made, key)


def signed(by: Authority, subject: str, names: list[str], days: int) -> Content:
    """The content of the Secret with a certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key())
    known = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    made = (
        _unsigned(_name(subject), by.certificate.subject, key.public_key(), days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(known, critical=False)
        .add_extension(signer, critical=False)
        .sign(by.key, hashes.SHA256())
    )
    return {
        "ca.crt": by.certificate.public_bytes(PEM),
        "tls.crt": made.public_bytes(PEM),
        "tls.key": _key(key),
    }


def inside(wanted: dict[str, list[str]], name: str, standing: Path) -> dict[str, Content]:
    """The Secrets that have to be made or replaced. Raises ValueError or TypeError where the authority is none."""
    found: dict[str, Content] = {}
    if (standing / name / "tls.crt").exists():
        by = _read(standing / name)
    else:
        by = authority()
        found[name] = {"tls.crt": by.certificate.public_bytes(PEM), "tls.key": _key(by.key)}
    for secret, names in wanted.items():
        if not _stands(standing / secret / "tls.crt", names, by):
            # A subject has at most 64 characters; nobody reads it.
            found[secret] = signed(by, secret[-64:], names, INSIDE_DAYS)
    return found


def _read(folder: Path) -> Authority:
    certificate = x509.load_pem_x509_certificate((folder / "tls.crt").read_bytes())
    key = serialization.load_pem_private_key((folder / "tls.key").read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"the key of {folder.name} is none on an elliptic curve")
    return Authority(certificate, key)


def _stands(file: Path, names: list[str], by: Authority) -> bool:
    """Whether a certificate is there that is good for a while."""
    if not file.exists():
        return False
    try:
        found = x509.load_pem_x509_certificate(file.read_bytes())
        found.verify_directly_issued_by(by.certificate)
        known = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    left = found.not_valid_after_utc - datetime.now(UTC)
    is_known = set(known.get_values_for_type(x509.DNSName)) == set(names)
    return is_known and left > timedelta(days=RENEWED_DAYS)


def _key(key: ec.EllipticCurvePrivateKey) -> bytes:
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(PEM, form, plain)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
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
        .not_valid_after(begin + timedelta(days=days))
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


def _write(folder: Path, content: Content) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in content.items():
        (folder / name).write_bytes(text)


def main() -> int:
    """Write them."""
    folder = Path(os.environ["FOLDER"])
    if (wanted := os.environ.get("WANTED")) is None:
        _write(folder, signed(authority(), "coxswain api", json.loads(os.environ["NAMES"]), DAYS))
        return 0
    made = inside(json.loads(wanted), os.environ["AUTHORITY"], Path(os.environ["STANDING"]))
    for secret, content in made.items():
        print(f"{secret}: is made", flush=True)
        _write(folder / secret, content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
