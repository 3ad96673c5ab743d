"""The dialer: no name, change of mind or redirect leads to an address that is not public."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from coxswain.gateway.outbound import clients
from coxswain.gateway.outbound.dialing import AddressRefusedError, Dialer, UnreachableError
from coxswain.gateway.outbound.sessions import Session
from coxswain.rules import addresses

HERE = addresses.policy(allowed=["127.0.0.1"])


class Names:
    """A name server whose answers change with each question."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def resolve(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@asynccontextmanager
async def trap(answer: bytes = b"") -> AsyncIterator[tuple[int, list[bytes]]]:
    """A listener on loopback and what it was sent."""
    seen: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(4096))
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], seen


async def dialled(dialer: Dialer, port: int) -> None:
    _, writer = await dialer.open("rebinding.example", port)
    writer.write(b"hello")
    writer.close()


async def fetched(dialer: Dialer, port: int) -> None:
    async with clients.client(dialer, read_seconds=1) as client:
        await client.get(f"http://rebinding.example:{port}/")


async def posted(dialer: Dialer, port: int) -> None:
    session = Session(dialer)
    try:
        async with session.post(f"http://rebinding.example:{port}/", b"x", {}):
            pass
    finally:
        await session.close()


@pytest.mark.parametrize("how", [dialled, fetched, posted])
@pytest.mark.parametrize(
    "answer",
    [
        ["127.0.0.1"],
        ["93.184.216.34", "127.0.0.1"],
        ["127.0.0.1", "93.184.216.34"],
        ["2606:4700::1111", "::ffff:127.0.0.1"],
        ["::1"],
    ],
)
async def test_one_private_answer_refuses_the_name(
    how: Callable[[Dialer, int], Awaitable[None]], answer: list[str]
) -> None:
    async with trap() as (port, seen):
        with pytest.raises((AddressRefusedError, httpx.ConnectError)) as caught:
            await how(Dialer(resolve=Names(answer).resolve), port)
        assert clients.refusal(caught.value) is not None
    assert seen == []


async def test_a_name_that_turns_private_after_it_was_judged_gains_nothing() -> None:
    names = Names(["192.0.2.7"], ["127.0.0.1"])
    wanted = addresses.policy(allowed=["192.0.2.7"])
    async with trap() as (port, seen):
        with pytest.raises(UnreachableError):
            await Dialer(wanted, resolve=names.resolve, connect_seconds=0.2).open("x.example", port)
    assert names.asked == 1
    assert seen == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_not_followed(status: int) -> None:
    async with trap() as (target, seen):
        location = f"Location: http://127.0.0.1:{target}/\r\nContent-Length: 0\r\n\r\n"
        async with trap(f"HTTP/1.1 {status} Away\r\n{location}".encode()) as (port, asked):
            dialer = Dialer(HERE, resolve=Names(["127.0.0.1"]).resolve)
            async with clients.client(dialer, read_seconds=1) as client:
                answer = await client.post(f"http://hook.example:{port}/", content=b"x")
    assert (answer.status_code, len(asked)) == (status, 1)
    assert seen == []


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with trap() as (proxy, seen):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        async with trap(b"HTTP/1.1 204 None\r\n\r\n") as (port, _):
            dialer = Dialer(HERE, resolve=Names(["127.0.0.1"]).resolve)
            async with clients.client(dialer, read_seconds=1) as client:
                assert (await client.get(f"http://hook.example:{port}/")).status_code == 204
    assert seen == []


async def test_a_dead_address_leaves_time_for_the_next_one() -> None:
    wanted = addresses.policy(allowed=["127.0.0.0/8"])
    with socket.socket() as dead:
        # Its queue is full, so a connection to it hangs.
        dead.bind(("127.0.0.2", 0))
        dead.listen(0)
        port = dead.getsockname()[1]
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.2", port))
        arrived = asyncio.Event()

        async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            arrived.set()
            writer.close()

        async with await asyncio.start_server(take, "127.0.0.1", port):
            names = Names(["127.0.0.2", "127.0.0.1"])
            dialer = Dialer(wanted, resolve=names.resolve, connect_seconds=0.6)
            _, writer = await dialer.open("two.example", port)
            writer.close()
            await asyncio.wait_for(arrived.wait(), 5)
        for filler in fillers:
            filler.close()


async def test_a_name_server_that_is_silent_is_given_up() -> None:
    async def silent(_host: str, _port: int) -> list[str]:
        await asyncio.sleep(3600)
        return []

    with pytest.raises(UnreachableError) as caught:
        await Dialer(resolve=silent, connect_seconds=0.05).open("x.example", 443)
    assert caught.value.code == "no_address"


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example", "\u0000", "exa mple.com", ""])
async def test_a_name_that_is_none_is_an_error_of_ours(host: str) -> None:
    with pytest.raises((UnreachableError, AddressRefusedError)):
        await Dialer().open(host, 443)
