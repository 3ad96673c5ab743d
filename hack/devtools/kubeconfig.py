"""Writes kubeconfig files: client certificate, everything embedded, only its owner can read."""

import base64
import json
import os
from pathlib import Path

from devtools.pki import Pair


def render(server: str, authority: Path, client: Pair) -> str:
    """The text of a kubeconfig; JSON is YAML."""

    def embed(path: Path) -> str:
        return base64.b64encode(path.read_bytes()).decode()

    cluster = {"server": server, "certificate-authority-data": embed(authority)}
    user = {
        "client-certificate-data": embed(client.certificate),
        "client-key-data": embed(client.key),
    }
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "coxswain",
            "clusters": [{"name": "coxswain", "cluster": cluster}],
            "users": [{"name": "coxswain", "user": user}],
            "contexts": [
                {"name": "coxswain", "context": {"cluster": "coxswain", "user": "coxswain"}}
            ],
        },
        indent=1,
    )


def write_plain(path: Path, server: str) -> Path:
    """Write one for a proxy that has an account of its own: an address, and a token that nobody looks at."""
    context = {"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "proxy",
        "clusters": [{"name": "proxy", "cluster": {"server": server}}],
        "users": [{"name": "proxy", "user": {"token": "of-the-proxy"}}],
        "contexts": [context],
    }
    path.write_text(json.dumps(content))
    return path


def write(path: Path, server: str, authority: Path, client: Pair) -> Path:
    """Write the file whole or not at all."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(render(server, authority, client))
    new.rename(path)
    return path
