"""The keys of an OIDC issuer, found by discovery. Nothing else is ever asked of it."""

import json
import ssl
from pathlib import Path
from typing import Any

import aiohttp

from coxswain.errors import ConfigurationError, UnavailableError
from coxswain.store.keys import IssuerKeys

DISCOVERY = "/.well-known/openid-configuration"
ANSWER_BYTES = 1_048_576
LIMITS = aiohttp.ClientTimeout(total=10, sock_connect=5)
Document = dict[str, Any]


class Issuer:
    """Reads two documents over TLS, and follows no redirect."""

    def __init__(self, issuer: str, ca_file: Path | None) -> None:
        """Raises ConfigurationError where the file with certificates cannot be read."""
        self._issuer = issuer
        try:
            self._tls = ssl.create_default_context(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(f"COXSWAIN_OIDC_CA_FILE: {error}") from error

    async def fetch(self) -> IssuerKeys:
        """What the issuer publishes now. Raises UnavailableError."""
        async with aiohttp.ClientSession(timeout=LIMITS) as session:
            found = await self._read(session, self._issuer.rstrip("/") + DISCOVERY)
            if found.get("issuer") != self._issuer:
                raise UnavailableError(f"{self._issuer} calls itself {found.get('issuer')!r}")
            place = str(found.get("jwks_uri", ""))
            if not place.startswith("https://"):
                raise UnavailableError(f"{self._issuer} names no https:// place of its keys")
            published = await self._read(session, place)
        keys = published.get("keys")
        usable = [each for each in keys if _signs(each)] if isinstance(keys, list) else []
        if not usable:
            raise UnavailableError(f"{self._issuer} publishes no key that signs")
        return IssuerKeys(self._issuer, {each["kid"]: each for each in usable})

    async def _read(self, session: aiohttp.ClientSession, url: str) -> Document:
        try:
            async with session.get(url, ssl=self._tls, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise UnavailableError(f"{url} answers {answer.status}")
                text = await answer.content.read(ANSWER_BYTES + 1)
                while len(text) <= ANSWER_BYTES and not answer.content.at_eof():
                    text += await answer.content.read(ANSWER_BYTES)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise UnavailableError(f"{url} does not answer: {error}") from error
        if len(text) > ANSWER_BYTES:
            raise UnavailableError(f"{url} answers with more than {ANSWER_BYTES} bytes")
        try:
            found = json.loads(text)
        except ValueError as error:
            raise UnavailableError(f"{url} does not answer in JSON") from error
        if not isinstance(found, dict):
            raise UnavailableError(f"{url} does not answer with an object")
        return found


class Nowhere:
    """Keeps no keys beyond the life of the process: who starts while the issuer is away lets nobody in."""

    async def keep(self, found: IssuerKeys) -> None:
        """Keep nothing."""

    async def recall(self) -> IssuerKeys | None:
        """Know nothing."""
        return None


def _signs(key: object) -> bool:
    return (
        isinstance(key, dict)
        and isinstance(key.get("kid"), str)
        and key.get("use", "sig") == "sig"
        and key.get("kty") != "oct"
    )
