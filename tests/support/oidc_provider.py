"""npm's oidc-provider, really started, and people who sign in there as a browser would."""

import asyncio
import base64
import hashlib
import secrets
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp

from devtools import node_packages
from devtools.pki import Authority

SOURCE = Path(__file__).parent / "oidc"
CLIENT = "console"
BACK = "https://console.example/back"
RESOURCE = "https://api.example"
AUDIENCE = "coxswain"
START_SECONDS = 30.0


@dataclass(frozen=True)
class SignedIn:
    """The two tokens that somebody has after signing in."""

    id_token: str
    """For the client itself: its audience is CLIENT."""
    access_token: str
    """For the resource: its audience is AUDIENCE."""


@dataclass(frozen=True)
class Provider:
    """A running provider."""

    issuer: str
    ca_file: Path

    async def sign_in(self, name: str) -> SignedIn:
        """Walk the code flow with PKCE: sign in, consent, exchange the code."""
        tls = ssl.create_default_context(cafile=self.ca_file)
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls), cookie_jar=aiohttp.CookieJar(unsafe=True)
        ) as session:
            verifier = secrets.token_urlsafe(32)
            place = await _moved(session, self._asked(verifier))
            for form in (
                {"prompt": "login", "login": name, "password": "x"},
                {"prompt": "consent"},
            ):
                place = await _moved(session, place, form)
                place = await _moved(session, place)
            code = parse_qs(urlsplit(place).query)["code"][0]
            exchange = {
                "grant_type": "authorization_code",
                "client_id": CLIENT,
                "redirect_uri": BACK,
                "code": code,
                "code_verifier": verifier,
                "resource": RESOURCE,
            }
            async with session.post(f"{self.issuer}/token", data=exchange) as answer:
                found = await answer.json()
                assert answer.status == 200, found
        return SignedIn(found["id_token"], found["access_token"])

    def _asked(self, verifier: str) -> str:
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        return (
            f"{self.issuer}/auth?client_id={CLIENT}&response_type=code&scope=openid%20api"
            f"&redirect_uri={BACK}&resource={RESOURCE}"
            f"&code_challenge={challenge}&code_challenge_method=S256"
        )


async def _moved(
    session: aiohttp.ClientSession, place: str, form: dict[str, str] | None = None
) -> str:
    """Where a request is sent on to."""
    method = "GET" if form is None else "POST"
    async with session.request(method, place, data=form, allow_redirects=False) as answer:
        assert answer.status in {302, 303}, await answer.text()
        return str(answer.url.join(type(answer.url)(answer.headers["Location"])))


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Provider]:
    """The provider for the length of a block."""
    authority = Authority(folder)
    pair = authority.issue("issuer", "issuer", hosts=["127.0.0.1"])
    home = await asyncio.to_thread(node_packages.installed, SOURCE)
    process = await asyncio.create_subprocess_exec(
        "node",
        str(home / "provider.mjs"),
        str(pair.key),
        str(pair.certificate),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            line = (await process.stdout.readline()).decode().strip()
        assert line.startswith("https://"), f"the provider said {line!r}"
        yield Provider(line, authority.certificate)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
