"""Verifies a pod's token offline: signature, issuer, audience, expiry, and the pod it is bound to.

A token that is bound to no pod is refused: it could be anybody's.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from coxswain import names
from coxswain.identity import decoding
from coxswain.identity.decoding import INVALID, refusal
from coxswain.identity.keys import Keys
from coxswain.store.claims import Pod

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
        claims = await decoding.verified(token, self._keys, self._audience)
        try:
            found = _Claims.model_validate(claims.get("kubernetes.io"))
        except ValidationError as error:
            raise refusal("the token is not a service account's", INVALID) from error
        if found.pod is None:
            raise refusal("the token is bound to no pod", UNBOUND)
        account = found.serviceaccount.name
        if claims["sub"] != f"system:serviceaccount:{found.namespace}:{account}":
            raise refusal("the token contradicts itself", INVALID)
        return Pod(
            workspace=found.namespace, account=account, name=found.pod.name, uid=found.pod.uid
        )
