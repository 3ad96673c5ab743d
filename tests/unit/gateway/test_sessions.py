"""Sessions: what goes out as it was written, what is kept of a connection, and what is no answer to us."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from coxswain.gateway.callbacks.posting import Poster
from coxswain.gateway.outbound.dialing import Dialer
from coxswain.gateway.outbound.sessions import MOST_HEADERS, Session
from coxswain.rules import addresses
from tests.support import waiting

TAKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
STRAY = b"HTTP/1.1 299 Late\r\nContent-Length: 0\r\n\r\n"
END = b"\r\n\r\n"


class Host:
    """Takes messages of one byte, gives to each the next of its answers, and the last one from then on."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self.heads: list[str] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.ended = 0

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        self.writers.append(writer)
        try:
            while True:
                self.heads.append((await reader.readuntil(END)).decode())
                if self.heads[-1].startswith("POST"):
                    await reader.readexactly(1)
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                writer.write(answer)
                if not answer:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        self.ended += 1
        writer.close()

    def url(self, path: str = "/", name: str = "a.test") -> str:
        """Where it is, while it serves."""
        return f"http://{name}:{self._port}{path}"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """On loopback."""
        async with await asyncio.start_server(self.take, "127.0.0.1", 0) as server:
            self._port: int = server.sockets[0].getsockname()[1]
            yield


def dialer() -> Dialer:
    async def here(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    return Dialer(addresses.ANYWHERE, resolve=here)


@asynccontextmanager
async def opened(most_idle: int = 10) -> AsyncIterator[Session]:
    session = Session(dialer(), most_idle=most_idle)
    try:
        yield session
    finally:
        await session.close()


async def posted(session: Session, url: str) -> int:
    async with session.post(url, b"x", {}) as response:
        await response.content.read()
        return response.status


async def said(url: str) -> str:
    """What a poster calls that which came of a message."""
    poster = Poster(dialer(), dialer(), seconds=5)
    try:
        return (await poster.post(url, b"x", {}, is_listed=True)).error
    finally:
        await poster.close()


async def test_one_connection_serves_one_message_after_the_other() -> None:
    host = Host(TAKEN)
    async with host.serving(), opened() as session:
        for _ in range(3):
            assert await posted(session, host.url()) == 200
    assert (len(host.heads), len(host.writers)) == (3, 1)


async def test_what_came_over_a_kept_connection_unasked_is_no_answer_to_the_next_message() -> None:
    host = Host(TAKEN)
    async with host.serving(), opened() as session:
        await posted(session, host.url())
        host.writers[0].write(STRAY)
        # Over another connection, so that the stray one is read meanwhile.
        for _ in range(3):
            await posted(session, host.url(name="b.test"))
        assert await posted(session, host.url()) == 200
        assert len(host.writers) == 3


async def test_two_answers_to_one_message_are_not_taken_for_two() -> None:
    host = Host(TAKEN + STRAY, TAKEN)
    async with host.serving(), opened() as session:
        assert [await posted(session, host.url()) for _ in range(2)] == [200, 200]


async def test_no_more_connections_are_kept_than_were_granted() -> None:
    host = Host(TAKEN)
    async with host.serving(), opened(most_idle=2) as session:
        for n in range(5):
            await posted(session, host.url(name=f"h{n}.test"))
        await waiting.until(lambda: host.ended == 3)
        for n in range(2):
            await posted(session, host.url(name=f"h{n}.test"))
        assert len(host.writers) == 5


@pytest.mark.parametrize(
    "target", ["/", "/a%2Cb/%7E/%2e%2e/c?x=%2c&y=a+b%20c", "/a;b=c,d?sig=%2B=&z"]
)
async def test_an_url_goes_out_as_it_was_written(target: str) -> None:
    host = Host(TAKEN)
    async with host.serving(), opened() as session:
        await posted(session, host.url(target))
    assert host.heads[0].splitlines()[0] == f"POST {target} HTTP/1.1"


async def test_what_may_not_stand_in_an_url_makes_no_second_header() -> None:
    host = Host(TAKEN)
    async with host.serving(), opened() as session:
        await posted(session, host.url("/a b\r\nX: <é>"))
    assert host.heads[0].splitlines()[0] == "POST /a%20b%0D%0AX:%20%3C%C3%A9%3E HTTP/1.1"


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    other = Host(TAKEN)
    async with other.serving(), opened() as session:
        for status in (301, 302, 303, 307, 308):
            to = f"HTTP/1.1 {status} Away\r\nLocation: {other.url()}\r\nContent-Length: 0\r\n\r\n"
            host = Host(to.encode())
            async with host.serving():
                assert await posted(session, host.url()) == status
    assert other.heads == []


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    host, proxy = Host(TAKEN), Host(TAKEN)
    async with host.serving(), proxy.serving(), opened() as session:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        await posted(session, host.url())
    assert host.heads[0].startswith("POST / HTTP/1.1")
    assert proxy.heads == []


def heads_of(count: int, size: int = 1) -> bytes:
    lines = "".join(f"X-{n}: {'x' * size}\r\n" for n in range(count))
    return f"HTTP/1.1 200 OK\r\n{lines}Content-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (TAKEN, ""),
        (heads_of(MOST_HEADERS - 1), ""),
        (heads_of(MOST_HEADERS + 1), "no_http"),
        (heads_of(1, 9000), "no_http"),
        (b"220 mail.example ESMTP\r\n", "no_http"),
        (b"", "cut"),
    ],
    ids=["taken", "many headers", "too many", "too long", "mail", "nothing"],
)
async def test_what_is_no_answer_has_a_name(answer: bytes, word: str) -> None:
    host = Host(answer)
    async with host.serving():
        assert await said(host.url()) == word


@pytest.mark.parametrize(
    "url",
    ["http://a.test:99999/", "http://a.test:b/", "http://:80/", "http://[::1/", "", "ftp://a/"],
)
async def test_an_url_that_is_none_is_told_and_not_raised(url: str) -> None:
    assert await said(url) == "no_http"
