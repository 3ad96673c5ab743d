"""Tokens that are JSON Web Tokens: read offline, with the keys of whoever should have signed them."""

from typing import Any

import jwt

from coxswain.errors import UnauthenticatedError
from coxswain.identity.key_ring import KeyRing

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
REQUIRED = ("exp", "iat", "iss", "aud", "sub")
LEEWAY_SECONDS = 5
INVALID = "token_invalid"
EXPIRED = "token_expired"
AUDIENCE = "token_audience"
# JSON that is nested too deeply is told by the second.
NOT_ONE = (jwt.PyJWTError, RecursionError)
Claims = dict[str, Any]


async def verified(token: str, keys: KeyRing, audience: str) -> Claims:
    """The claims of a token: its signature, issuer, audience and times are good.

    Raises UnauthenticatedError, or UnavailableError while the keys are not known.
    """
    try:
        key_id = jwt.get_unverified_header(token).get("kid")
        if not isinstance(key_id, str):
            raise refusal("the token names no key", INVALID)
        key = await keys.key(key_id)
        found: Claims = jwt.decode(
            token,
            key,
            algorithms=list(ALGORITHMS),
            audience=audience,
            issuer=keys.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": list(REQUIRED)},
        )
    except jwt.ExpiredSignatureError as error:
        raise refusal("the token has expired", EXPIRED) from error
    except jwt.InvalidAudienceError as error:
        raise refusal(f"the token is not for {audience}", AUDIENCE) from error
    except NOT_ONE as error:
        raise refusal("the token is not valid here", INVALID) from error
    return found


def unverified(token: str) -> Claims | None:
    """What a token says of itself, to find out who has to judge it; None: it is no such token."""
    try:
        found: Claims = jwt.decode(token, options={"verify_signature": False})
    except NOT_ONE:
        return None
    return found


def refusal(message: str, code: str) -> UnauthenticatedError:
    """Why a token is not good."""
    return UnauthenticatedError(message, code=code)
