"""Makes the installation's Secrets where they are missing. Standard library only: the chart runs this text.

Its account may create Secrets and do nothing else, so it cannot see whether one is there: it tries, and
"already exists" is success. Each Secret is whole or absent.

With CERTIFICATES_FOLDER it makes or replaces those that make_certificate.py has laid out there, and no other.
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
THERE = "there already"


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


def keep(folder: Path, authority: str) -> int:
    """Make or replace the Secrets of these folders; the authority comes first, and is never replaced."""
    made = [each for each in folder.iterdir() if each.is_dir()]
    for each in sorted(made, key=lambda each: (each.name != authority, each.name)):
        content = certificate(each)
        said = create(each.name, content)
        if said == THERE and each.name == authority:
            print(
                f"Secret {each.name}: another has made it meanwhile; its certificates are to be signed by that"
            )
            return 1
        if said == THERE:
            said = replace(each.name, content)
        print(f"Secret {each.name}: {said}", flush=True)
    return 0


def encoded(content: dict[str, str]) -> dict[str, str]:
    """The data of a Secret."""
    return {key: base64.b64encode(text.encode()).decode() for key, text in content.items()}


def manifest(name: str, content: dict[str, str]) -> bytes:
    """The Secret as JSON."""
    labels = {"app.kubernetes.io/name": "coxswain", "app.kubernetes.io/part-of": "coxswain"}
    metadata = {"name": name, "labels": labels}
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "kubernetes.io/tls" if "tls.key" in content else "Opaque",
        "data": encoded(content),
    }
    return json.dumps(body).encode()


def create(name: str, content: dict[str, str]) -> str:
    """Send it; "made" or "there already". Any other answer raises."""
    try:
        _send("POST", "", manifest(name, content), "application/json")
    except urllib.error.HTTPError as error:
        if error.code != 409:
            raise
        return THERE
    return "made"


def replace(name: str, content: dict[str, str]) -> str:
    """Give it another content. Any answer but success raises."""
    body = json.dumps({"data": encoded(content)}).encode()
    _send("PATCH", f"/{name}", body, "application/merge-patch+json")
    return "replaced"


def _send(method: str, place: str, body: bytes, content_type: str) -> None:
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    address = f"[{host}]" if ":" in host else host
    request = urllib.request.Request(
        f"https://{address}:{port}/api/v1/namespaces/{os.environ['NAMESPACE']}/secrets{place}",
        data=body,
        method=method,
        headers={
            "Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}",
            "Content-Type": content_type,
        },
    )
    trust = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    urllib.request.urlopen(request, context=trust, timeout=30).close()  # noqa: S310


def main() -> int:
    """Make what is asked for; an empty name means that somebody else provides it."""
    if laid_out := os.environ.get("CERTIFICATES_FOLDER"):
        return keep(Path(laid_out), os.environ["AUTHORITY"])
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
