"""Verifies a pod's token offline: signature, issuer, audience, expiry, and the pod it is bound to.

A token that is bound to no pod is refused: it could be anybody's.
"""

from typing import Annotated

import jwt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from coxswain import names
from coxswain.errors import UnauthenticatedError
from coxswain.identity.keys import Keys
from coxswain.store.claims import Pod

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
REQUIRED = ("exp", "iat", "iss", "aud", "sub")
LEEWAY_SECONDS = 5
INVALID = "token_invalid"
EXPIRED = "token_expired"
AUDIENCE = "token_audience"
UNBOUND = "token_unbound"

_Word = Annotated[str, Field(min_length=1, max_length=253)]


class _Part(BaseModel):
    """A claim of Kubernetes; it may grow fields that we do not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Bound(_Part):
    name: _Word
    uid: _Word


class _Account(_Part):
    name: _Word


class _Claims(_Part):
    namespace: _Word
    pod: _Bound | None = None
    serviceaccount: _Account


class Verifier:
    """Turns tokens into pods."""

    def __init__(self, keys: Keys, installation: str) -> None:
        self._keys = keys
        self._audience = names.audience(installation)

    async def pod(self, token: str) -> Pod:
        """The pod that the token belongs to.

        Raises UnauthenticatedError, or UnavailableError while the keys are not known.
        """
        claims = await self._decoded(token)
        try:
            found = _Claims.model_validate(claims.get("kubernetes.io"))
        except ValidationError as error:
            raise _refusal("the token is not a service account's", INVALID) from error
        if found.pod is None:
            raise _refusal("the token is bound to no pod", UNBOUND)
        account = found.serviceaccount.name
        if claims["sub"] != f"system:serviceaccount:{found.namespace}:{account}":
            raise _refusal("the token contradicts itself", INVALID)
        return Pod(
            workspace=found.namespace, account=account, name=found.pod.name, uid=found.pod.uid
        )

    async def _decoded(self, token: str) -> dict[str, object]:
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            if not isinstance(key_id, str):
                raise _refusal("the token names no key", INVALID)
            key = await self._keys.key(key_id)
            decoded: dict[str, object] = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._audience,
                issuer=self._keys.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": list(REQUIRED)},
            )
        except jwt.ExpiredSignatureError as error:
            raise _refusal("the token has expired", EXPIRED) from error
        except jwt.InvalidAudienceError as error:
            raise _refusal(f"the token is not for {self._audience}", AUDIENCE) from error
        except jwt.PyJWTError as error:
            raise _refusal("the token is not valid here", INVALID) from error
        return decoded


def _refusal(message: str, code: str) -> UnauthenticatedError:
    return UnauthenticatedError(message, code=code)
