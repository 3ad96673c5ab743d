"""Where the API server is and who we are there; tokens are read again while the process runs."""

import os
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coxswain.errors import ConfigurationError

POD_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TOKEN_READ_SECONDS = 60.0


@dataclass
class Credentials:
    """An address, a TLS context and a way to the current bearer token."""

    url: str
    tls: ssl.SSLContext | None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    token_file: Path | None = None
    static_token: str | None = None
    _token: str | None = None
    _read_at: float = 0.0

    def token(self) -> str | None:
        """The bearer token; a file is read again every minute because the kubelet rotates it."""
        if self.token_file is None:
            return self.static_token
        if self._token is None or time.monotonic() - self._read_at > TOKEN_READ_SECONDS:
            self._token = self.token_file.read_text().strip()
            self._read_at = time.monotonic()
        return self._token


def from_account(folder: Path = POD_ACCOUNT) -> Credentials:
    """The account whose token and ca.crt stand in a folder, as the kubelet mounts them.

    Raises ConfigurationError where the process runs in no pod or the files are not there.
    """
    host, port = (
        os.environ.get("KUBERNETES_SERVICE_HOST"),
        os.environ.get("KUBERNETES_SERVICE_PORT"),
    )
    if not host or not port:
        raise ConfigurationError("not in a pod: set COXSWAIN_KUBECONFIG to a kubeconfig file")
    ca_file = folder / "ca.crt"
    if not ca_file.exists() or not (folder / "token").exists():
        raise ConfigurationError(
            f"{folder} holds no token and ca.crt: mount a service-account token"
        )
    address = f"[{host}]" if ":" in host else host
    tls = ssl.create_default_context(cafile=str(ca_file))
    return Credentials(
        url=f"https://{address}:{port}", tls=tls, ca_file=str(ca_file), token_file=folder / "token"
    )


async def from_kubeconfig(file: Path) -> Credentials:
    """The current context of a kubeconfig file.

    Raises ConfigurationError if the file cannot be read or names no server.
    """
    # Takes a second to load, and no pod needs it: a leader is followed the sooner without.
    from kubernetes.aio import client as kubernetes_client
    from kubernetes.aio import config as kubernetes_config

    found = kubernetes_client.Configuration()
    try:
        await kubernetes_config.load_kube_config(str(file), client_configuration=found)
    except (kubernetes_config.ConfigException, OSError) as error:
        raise ConfigurationError(f"kubeconfig {file} cannot be used: {error}") from error
    token = found.api_key.get("BearerToken")
    return Credentials(
        url=found.host,
        tls=_tls(found) if found.host.startswith("https") else None,
        ca_file=found.ssl_ca_cert,
        cert_file=found.cert_file,
        key_file=found.key_file,
        static_token=token.split(" ", 1)[1] if token else None,
    )


def _tls(found: Any) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=found.ssl_ca_cert)
    if not found.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if found.cert_file:
        context.load_cert_chain(found.cert_file, found.key_file)
    return context
