"""A cluster that signs tokens: its keys, its published documents, and tokens of pods."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from coxswain.errors import UnavailableError
from coxswain.identity.keys import CONFIGURATION_PATH, KEYS_PATH
from coxswain.store.claims import Pod

ISSUER = "https://kubernetes.default.svc"
AUDIENCE = "coxswain/test"


class SigningCluster:
    """Answers for the API server, and signs as it would."""

    def __init__(self) -> None:
        self.keys: dict[str, rsa.RSAPrivateKey] = {}
        self.fetches = 0
        self.away = False
        self.add_key("first")

    def add_key(self, key_id: str) -> None:
        """Publish one more key."""
        self.keys[key_id] = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    async def get(self, path: str, params: dict[str, str] | None = None) -> dict[str, Any]:
        """The two documents, unless the API server is away."""
        if path == CONFIGURATION_PATH:
            self.fetches += 1
        if self.away:
            raise UnavailableError("the API server does not answer")
        documents: dict[str, dict[str, Any]] = {
            CONFIGURATION_PATH: {"issuer": ISSUER},
            KEYS_PATH: {"keys": self.published()},
        }
        return documents[path]

    def token(self, pod: Pod, *, key_id: str = "first", **changes: Any) -> str:
        """The token that the kubelet would mount into this pod; changes replace claims."""
        now = datetime.now(UTC)
        claims = {
            "iss": ISSUER,
            "aud": [AUDIENCE],
            "sub": f"system:serviceaccount:{pod.workspace}:{pod.account}",
            "iat": now,
            "nbf": now,
            "exp": now + timedelta(hours=1),
            "kubernetes.io": {
                "namespace": pod.workspace,
                "node": {"name": "node", "uid": "6d1b5a3c-0000-4000-8000-000000000001"},
                "pod": {"name": pod.name, "uid": pod.uid},
                "serviceaccount": {
                    "name": pod.account,
                    "uid": "6d1b5a3c-0000-4000-8000-000000000002",
                },
            },
        }
        wanted = {name: value for name, value in (claims | changes).items() if value is not None}
        return jwt.encode(wanted, self.keys[key_id], algorithm="RS256", headers={"kid": key_id})

    def published(self) -> list[dict[str, Any]]:
        """Its keys, as JSON has them."""
        return [
            {
                **jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True),
                "kid": key_id,
                "alg": "RS256",
                "use": "sig",
            }
            for key_id, key in self.keys.items()
        ]
