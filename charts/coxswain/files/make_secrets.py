"""Makes the installation's Secrets where they are missing. Standard library only: the chart runs this text.

Its account may create Secrets and do nothing else, so it cannot see whether one is there: it tries, and
"already exists" is success. Each Secret is whole or absent.
"""

import base64
import json
import os
import secrets
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path

ACCOUNT = Path(os.environ.get("ACCOUNT", "/var/run/secrets/kubernetes.io/serviceaccount"))
ROLES = ("operator", "sidecar", "gateway")


def local_token() -> dict[str, str]:
    """The content of the Secret for people."""
    return {"token": secrets.token_hex(32)}


def audit_key() -> dict[str, str]:
    """The content of the Secret that seals the audit log: an Ed25519 key is 32 random bytes."""
    return {"key": secrets.token_hex(32)}


def database(host: str) -> dict[str, str]:
    """Passwords of the bundled server and the address for each role; hex, so no address needs escapes."""
    passwords = {who: secrets.token_hex(24) for who in ("postgres", "owner", *ROLES)}
    users = {"owner": "coxswain", **{role: f"coxswain_{role}" for role in ROLES}}
    content = {f"{who}-password": password for who, password in passwords.items()}
    for who, user in users.items():
        content[f"{who}-dsn"] = f"postgresql://{user}:{passwords[who]}@{host}:5432/coxswain"
    return content


def certificate(folder: Path) -> dict[str, str]:
    """What make_certificate.py has left there."""
    return {path.name: path.read_text() for path in sorted(folder.iterdir()) if path.is_file()}


def manifest(name: str, content: dict[str, str]) -> bytes:
    """The Secret as JSON."""
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in content.items()}
    labels = {"app.kubernetes.io/name": "coxswain", "app.kubernetes.io/part-of": "coxswain"}
    metadata = {"name": name, "labels": labels}
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "kubernetes.io/tls" if "tls.key" in content else "Opaque",
        "data": encoded,
    }
    return json.dumps(body).encode()


def create(name: str, content: dict[str, str]) -> str:
    """Send it; "made" or "there already". Any other answer raises."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    address = f"[{host}]" if ":" in host else host
    request = urllib.request.Request(
        f"https://{address}:{port}/api/v1/namespaces/{os.environ['NAMESPACE']}/secrets",
        data=manifest(name, content),
        headers={
            "Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}",
            "Content-Type": "application/json",
        },
    )
    trust = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    try:
        urllib.request.urlopen(request, context=trust, timeout=30).close()  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code != 409:
            raise
        return "there already"
    return "made"


def main() -> int:
    """Make what is asked for; an empty name means that somebody else provides it."""
    wanted = (
        (os.environ["LOCAL_TOKEN_SECRET"], local_token()),
        (os.environ["AUDIT_KEY_SECRET"], audit_key()),
        (os.environ["DATABASE_SECRET"], database(os.environ["DATABASE_HOST"])),
    )
    for name, content in wanted:
        if name:
            print(f"Secret {name}: {create(name, content)}", flush=True)
    if wanted_of_tls := os.environ.get("TLS_SECRET"):
        found = certificate(Path(os.environ["TLS_FOLDER"]))
        print(f"Secret {wanted_of_tls}: {create(wanted_of_tls, found)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
