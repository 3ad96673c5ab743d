"""A certificate that changes while it is served, over real sockets; and the plain port that leads there."""

import asyncio
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from coxswain.errors import ConfigurationError
from coxswain.web import redirect, server
from coxswain.web.certificates import Certificate, Pair
from coxswain.web.server import Opening
from devtools.pki import Authority
from tests.support import chart
from tests.support.mounted import Mounted, shown

HERE = "127.0.0.1"


@dataclass
class Tls:
    """A server over TLS with a stream, and what it shows."""

    mounted: Mounted
    certificate: Certificate
    pki: Path
    port: int = 0
    ticks: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    def issue(self, name: str) -> tuple[bytes, bytes]:
        pair = Authority(self.pki).issue(name, name, hosts=[HERE, "localhost"])
        return pair.certificate.read_bytes(), pair.key.read_bytes()

    def client(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(Authority(self.pki).certificate))

    async def stream(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while tick := await self.ticks.get():
            await answer.write(f"{tick}\n".encode())
        return answer


@pytest_asyncio.fixture
async def tls(pki: Path, tmp_path: Path) -> AsyncIterator[Tls]:
    first = Authority(pki).issue("first", "first", hosts=[HERE, "localhost"])
    mounted = Mounted(tmp_path / "tls", first)
    made = Tls(mounted, Certificate(mounted.pair), pki)
    app = web.Application()
    app.router.add_get("/stream", made.stream)
    wanted = [Opening(0), Opening(0, made.certificate.context)]
    async with server.serving_all(app, HERE, wanted, drain_seconds=0.1) as ports:
        made.port = ports[1]
        yield made


async def test_who_connects_after_a_change_sees_the_new_certificate_and_a_stream_goes_on(
    tls: Tls,
) -> None:
    first, _ = tls.issue("first")
    second, key = tls.issue("second")
    assert await shown(tls.port) == first
    async with (
        aiohttp.ClientSession(f"https://{HERE}:{tls.port}") as session,
        session.get("/stream", ssl=tls.client()) as stream,
    ):
        tls.ticks.put_nowait("before")
        assert await stream.content.readline() == b"before\n"
        tls.mounted.put(second, key)
        assert tls.certificate.follow()
        assert await shown(tls.port) == second
        tls.ticks.put_nowait("after")
        assert await stream.content.readline() == b"after\n"
        tls.ticks.put_nowait("")
        assert await stream.content.read() == b""
    assert not tls.certificate.follow()


async def test_a_change_is_followed_without_being_told(tls: Tls) -> None:
    following = asyncio.create_task(tls.certificate.run(period=0.02))
    second, key = tls.issue("second")
    tls.mounted.put(second, key)
    async with asyncio.timeout(10):
        while await shown(tls.port) != second:  # noqa: ASYNC110 - the task does it
            await asyncio.sleep(0.02)
    following.cancel()


@pytest.mark.parametrize("broken", ["another's key", "no key", "half a certificate", "gone"])
async def test_a_pair_that_is_none_is_not_served_and_the_next_good_one_is(
    tls: Tls, broken: str
) -> None:
    first, first_key = tls.issue("first")
    second, second_key = tls.issue("second")
    match broken:
        case "another's key":
            tls.mounted.put(second, first_key)
        case "no key":
            tls.mounted.put(second, b"")
        case "half a certificate":
            tls.mounted.put(second[: len(second) // 2], second_key)
        case _:
            tls.mounted.pair.key.unlink()
    assert not tls.certificate.follow()
    assert await shown(tls.port) == first
    if broken == "gone":
        tls.mounted.pair.key.symlink_to(Path("..data") / "tls.key")
    tls.mounted.put(second, second_key)
    assert tls.certificate.follow()
    assert await shown(tls.port) == second


def test_a_server_does_not_start_without_a_pair_that_belongs_together(
    pki: Path, tmp_path: Path
) -> None:
    one = Authority(pki).issue("first", "first", hosts=[HERE])
    other = Authority(pki).issue("second", "second", hosts=[HERE])
    for pair in (Pair(one.certificate, other.key), Pair(one.certificate, tmp_path / "none")):
        with pytest.raises(ConfigurationError, match="no certificate with its key"):
            Certificate(pair)


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_password(
    pki: Path, tmp_path: Path
) -> None:
    pair = Authority(pki).issue("first", "first", hosts=[HERE])
    sealed = tmp_path / "sealed.key"
    words = f"openssl ec -in {pair.key} -aes256 -passout pass:word -out {sealed}".split()
    subprocess.run(words, check=True, capture_output=True)
    with pytest.raises(ConfigurationError, match="encrypted"):
        Certificate(Pair(pair.certificate, sealed))


@pytest.mark.parametrize(
    ("to_port", "host", "path", "place"),
    [
        (443, "api.example.com", "/v1/jobs?a=b%20c", "https://api.example.com/v1/jobs?a=b%20c"),
        (443, "api.example.com:8080", "/", "https://api.example.com/"),
        (8443, "api.example.com", "/x", "https://api.example.com:8443/x"),
        (443, "[2001:db8::1]:80", "/x", "https://[2001:db8::1]/x"),
        (443, "api.example.com", "//evil.example/", "https://api.example.com//evil.example/"),
        (443, "api.example.com", "http://evil.example/x", "https://api.example.com/x"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_plain_port_leads_every_request_to_https_with_its_method(
    to_port: int, host: str, path: str, place: str, method: str
) -> None:
    status, headers = await plain(to_port, f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")
    assert (status, headers["location"]) == (308, place)


@pytest.mark.parametrize("host", ["", "a b", "a@evil.example", "evil.example/", "-", "a:999999"])
async def test_a_host_that_is_no_name_is_led_nowhere(host: str) -> None:
    status, headers = await plain(443, f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")
    assert status == 400
    assert "location" not in headers


async def test_a_body_that_was_sent_along_is_not_waited_for() -> None:
    head = "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000000\r\n\r\n"
    assert (await plain(443, head))[0] == 308


async def plain(to_port: int, request: str) -> tuple[int, dict[str, str]]:
    """Status and headers of the answer of the plain port."""
    async with (
        server.serving(redirect.build(to_port), HERE, 0, drain_seconds=0.1) as port,
        asyncio.timeout(10),
    ):
        reader, writer = await asyncio.open_connection(HERE, port)
        writer.write(request.encode())
        text = (await reader.readuntil(b"\r\n\r\n")).decode()
        writer.close()
    first, *lines = text.strip().split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    return int(first.split()[1]), {name.lower(): value for name, _, value in pairs}


async def test_the_charts_own_certificate_is_good_for_its_names_and_for_no_other(
    tmp_path: Path,
) -> None:
    names = '["localhost", "api.example.com"]'
    program = (chart.CHART / "files" / "make_certificate.py").read_text()
    await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", program],
        env={**os.environ, "FOLDER": str(tmp_path), "NAMES": names},
        check=True,
    )
    certificate = Certificate(Pair(tmp_path / "tls.crt", tmp_path / "tls.key"))
    trusting = ssl.create_default_context(cafile=str(tmp_path / "ca.crt"))
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    wanted = [Opening(0, certificate.context)]
    async with server.serving_all(web.Application(), HERE, wanted, drain_seconds=0.1) as (port,):
        for name in ("localhost", "api.example.com"):
            _, writer = await asyncio.open_connection(
                HERE, port, ssl=trusting, server_hostname=name
            )
            writer.close()
        with pytest.raises(ssl.SSLCertVerificationError, match="other"):
            await asyncio.open_connection(HERE, port, ssl=trusting, server_hostname="other.example")
