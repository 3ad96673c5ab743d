"""A small certificate authority on the openssl command, for test and developer clusters only.

Every file is written beside its place and renamed, so a killed run leaves no half-made pair.
"""

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from devtools import shell

DAYS = "3650"
HINT = "install the openssl command (3.0 or newer)"

_AUTHORITY = """basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign,digitalSignature
subjectKeyIdentifier=hash"""
_LEAF = """basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature,keyEncipherment
extendedKeyUsage=serverAuth,clientAuth"""


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates into one folder; what is there already is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._pair = self._make("ca", request("coxswain-developer-ca", (), (), _AUTHORITY), None)

    @property
    def certificate(self) -> Path:
        """The file that clients trust."""
        return self._pair.certificate

    @property
    def key(self) -> Path:
        """The signing key, for the controller that signs certificates."""
        return self._pair.key

    def issue(
        self, name: str, user: str, groups: Iterable[str] = (), hosts: Iterable[str] = ()
    ) -> Pair:
        """A pair for a client (user and groups) or a server (hosts), or both."""
        return self._make(name, request(user, groups, hosts, _LEAF), self._pair)

    def signing_keys(self, name: str) -> tuple[Path, Path]:
        """Private and public RSA key for service-account tokens."""
        private, public = self.folder / f"{name}.key", self.folder / f"{name}.pub"
        if not public.exists():
            _openssl(["genrsa", "-out", private, "2048"])
            _openssl(["rsa", "-in", private, "-pubout", "-out", _beside(public)])
            _beside(public).rename(public)
        return private, public

    def _make(self, name: str, config: str, signer: Pair | None) -> Pair:
        pair = Pair(self.folder / f"{name}.crt", self.folder / f"{name}.key")
        if pair.certificate.exists():
            return pair
        with tempfile.NamedTemporaryFile("w", dir=self.folder, suffix=".cnf") as file:
            file.write(config)
            file.flush()
            words: list[str | Path] = [
                "req",
                "-x509",
                "-days",
                DAYS,
                "-config",
                file.name,
                "-noenc",
            ]
            words += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
            words += ["-CA", signer.certificate, "-CAkey", signer.key] if signer else []
            _openssl([*words, "-keyout", pair.key, "-out", _beside(pair.certificate)])
        _beside(pair.certificate).rename(pair.certificate)
        return pair


def request(user: str, groups: Iterable[str], hosts: Iterable[str], extensions: str) -> str:
    """The openssl configuration of one certificate."""
    names = [f"{'IP' if host[0].isdigit() else 'DNS'}:{host}" for host in hosts]
    lines = ["[req]", "distinguished_name=dn", "prompt=no", "x509_extensions=ext", "[dn]"]
    lines += [f"{number}.O={group}" for number, group in enumerate(groups)]
    lines += [f"CN={user}", "[ext]", extensions]
    lines += [f"subjectAltName={','.join(names)}"] if names else []
    return "\n".join(lines) + "\n"


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def _openssl(words: list[str | Path]) -> None:
    mask = os.umask(0o077)
    try:
        shell.run(["openssl", *words], hint=HINT)
    finally:
        os.umask(mask)
