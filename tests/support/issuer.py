"""An OIDC issuer of a test's own, on TLS: its documents, its keys, and tokens of people, also wrong ones."""

import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec

from coxswain.identity.issuer import DISCOVERY
from devtools.pki import Authority

AUDIENCE = "coxswain"


class Issuer:
    """Signs, and publishes what it signs with."""

    def __init__(self, folder: Path) -> None:
        authority = Authority(folder)
        self._pair = authority.issue("issuer", "issuer", hosts=["127.0.0.1"])
        self.ca_file = authority.certificate
        self.url = ""
        self.keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self.fetches = 0
        self.calls_itself: str | None = None
        self.more_keys: list[dict[str, Any]] = []
        self.add_key("first")

    def add_key(self, key_id: str) -> None:
        """Publish one more key."""
        self.keys[key_id] = ec.generate_private_key(ec.SECP256R1())

    def settings(self, **groups: dict[str, Any]) -> dict[str, Any]:
        """What the API is told of it."""
        return {
            "people": "oidc",
            "oidc_issuer": self.url,
            "oidc_audience": AUDIENCE,
            "oidc_ca_file": self.ca_file,
            "people_groups": groups,
        }

    def token(
        self,
        name: str = "ada",
        *groups: str,
        key_id: str = "first",
        typ: str = "JWT",
        **changes: Any,
    ) -> str:
        """The token of a person; changes replace claims."""
        now = datetime.now(UTC)
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": name,
            "iat": now,
            "exp": now + timedelta(minutes=5),
            "groups": list(groups),
        }
        wanted = {each: value for each, value in (claims | changes).items() if value is not None}
        headers = {"kid": key_id, "typ": typ}
        return jwt.encode(wanted, self.keys[key_id], algorithm="ES256", headers=headers)

    def headers(self, name: str = "ada", *groups: str, **changes: Any) -> dict[str, str]:
        """The same as the headers of a request."""
        return {"Authorization": f"Bearer {self.token(name, *groups, **changes)}"}

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Issuer"]:
        """Publish for the length of a block."""
        app = web.Application()
        app.router.add_get(DISCOVERY, self._discovery)
        app.router.add_get("/keys", self._published)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._pair.certificate, self._pair.key)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
            self.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
            yield self
        finally:
            await runner.cleanup()

    async def _discovery(self, _request: web.Request) -> web.Response:
        self.fetches += 1
        known = {"issuer": self.calls_itself or self.url, "jwks_uri": f"{self.url}/keys"}
        return web.json_response(known)

    async def _published(self, _request: web.Request) -> web.Response:
        found = [
            {**jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": key_id}
            for key_id, key in self.keys.items()
        ]
        return web.json_response({"keys": [*found, *self.more_keys]})


def deep(*, head: bool) -> str:
    """A token whose head or body is nested deeper than anybody reads."""
    parts = [b"{}", b"[" * 5000] if not head else [b"[" * 5000, b"{}"]
    return ".".join([*(base64.urlsafe_b64encode(each).decode().rstrip("=") for each in parts), ""])
