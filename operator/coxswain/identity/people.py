"""People by the tokens of an OIDC issuer: ID tokens, or access tokens that are JSON Web Tokens."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import jwt

from coxswain import names
from coxswain.errors import UnauthenticatedError
from coxswain.identity import decoding, local_token
from coxswain.identity.decoding import INVALID, Claims, refusal
from coxswain.identity.key_ring import KeyRing
from coxswain.identity.users import Granted, User
from coxswain.rules.permissions import Grant

EVERYBODY = "*"
EMAIL = "email"
TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
"""Tokens that stand for a person; one that tells of a sign-out, for example, does not."""
NAME = "token_name"
_NAME = re.compile(r"[!-~]{1,128}")


@dataclass(frozen=True)
class Claimed:
    """What tokens have to be for, and where they name person and groups."""

    issuer: str
    audience: str
    name: str
    groups: str


class People:
    """Turns tokens of the issuer into people, with the rights of their groups."""

    def __init__(self, keys: KeyRing, claimed: Claimed, grants: Mapping[str, Grant]) -> None:
        self._keys = keys
        self._claimed = claimed
        self._grants = grants

    async def find(self, token: str) -> User | None:
        """The person; None where another issuer signs such tokens. Raises UnauthenticatedError."""
        said = decoding.unverified(token)
        if said is None or said.get("iss") != self._claimed.issuer:
            return None
        if str(jwt.get_unverified_header(token).get("typ", "JWT")).lower() not in TYPES:
            raise refusal("a token of this type stands for nobody", INVALID)
        claims = await decoding.verified(token, self._keys, self._claimed.audience)
        return User(self._name(claims), Granted(self._granted(claims)))

    def _name(self, claims: Claims) -> str:
        claim = self._claimed.name
        if claim == EMAIL and claims.get("email_verified") is not True:
            raise refusal("the token does not say that its email is verified", NAME)
        return checked_name(claims.get(claim), f"claim {claim}")

    def _granted(self, claims: Claims) -> tuple[Grant, ...]:
        said = claims.get(self._claimed.groups)
        groups = said if isinstance(said, list) else [said]
        named = {each for each in groups if isinstance(each, str) and each != EVERYBODY}
        return tuple(self._grants[each] for each in (*named, EVERYBODY) if each in self._grants)


def checked_name(name: object, place: str) -> str:
    """The name of a person. Raises UnauthenticatedError token_name for one that is none, or is another's."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        text = f"{place} holds no name: 1 to 128 visible ASCII characters, no space among them"
        raise UnauthenticatedError(text, code=NAME)
    if name.startswith(names.MACHINE) or name == local_token.NAME:
        raise UnauthenticatedError(f"{place}: no person may be called '{name}'", code=NAME)
    return name
