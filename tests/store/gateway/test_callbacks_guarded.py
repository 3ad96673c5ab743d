"""What may not be told is not told, and what must be signed is: seen from a receiver's side."""

import asyncio
import contextlib
import dataclasses
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
from typing_extensions import override

from coxswain.api.deliveries import DeliveryState
from coxswain.errors import UnavailableError
from coxswain.gateway.callbacks.posting import Poster
from coxswain.gateway.outbound.dialing import Dialer
from coxswain.rules import addresses
from coxswain.store.pool import Store
from devtools import pki
from tests.support import ended, snippets
from tests.support.callbacks import NEW_KEY, OLD_KEY, Office, loopback
from tests.support.postgres import Database
from tests.support.receiver import Receiver

PAGE = "callbacks.md"
T = TypeVar("T")


def url(receiver: Receiver, host: str = "a.test") -> str:
    return f"http://{host}:{receiver.port}/hook"


async def skipped(office: Office, wanted: str, **owed: Any) -> dict[str, Any]:
    """A delivery is skipped for this reason; what its event says."""
    one = await office.owes(**owed)
    async with office.at_work():
        done = await office.ends(one)
    assert (done.state, done.reason, done.tries) == (DeliveryState.SKIPPED, wanted, 0)
    assert await office.told() == ["callback.skipped"]
    assert await office.log(one) == []
    said = await office.details()
    assert said["reason"] == wanted
    return said


async def test_an_empty_list_of_domains_denies_all_and_says_so(
    office: Office, receiver: Receiver
) -> None:
    office.domains, office.origins = [], []
    said = await skipped(office, "DomainNotAllowed", url=url(receiver))
    assert said["host"] == "a.test"
    assert receiver.received == []


async def test_switched_off_nothing_is_sent(office: Office, receiver: Receiver) -> None:
    office.settings = {"callbacks_enabled": False}
    await skipped(office, "Disabled", url=url(receiver))
    assert receiver.received == []


async def test_an_unencrypted_url_goes_out_only_where_its_origin_is_listed(
    office: Office, receiver: Receiver
) -> None:
    office.origins = []
    await skipped(office, "NotEncrypted", url=url(receiver))
    assert receiver.received == []


async def test_a_port_other_than_443_needs_its_origin_listed_too(
    office: Office, receiver: Receiver
) -> None:
    await skipped(office, "PortNotAllowed", url=f"https://a.test:{receiver.port}/")
    assert receiver.received == []


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "10.0.0.1"],
        ["169.254.169.254"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["fd00::1"],
    ],
)
async def test_a_name_with_a_private_address_is_refused_when_it_would_be_connected_to(
    office: Office, found: list[str]
) -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        return found

    office.resolve = resolve
    await skipped(office, "AddressNotAllowed", url="https://a.test/hook")


async def test_signed_with_the_secret_that_the_job_names(
    office: Office, receiver: Receiver
) -> None:
    office.has_secret("mine", key=NEW_KEY)
    one = await office.owes(url(receiver), signing="mine")
    async with office.at_work():
        await office.ends(one)
    (got,) = receiver.received
    got.verify(NEW_KEY)
    assert " " not in got.headers["webhook-signature"]
    with pytest.raises(Exception, match="No matching signature"):
        got.verify(OLD_KEY)


async def test_while_a_secret_is_changed_a_receiver_may_hold_either(
    office: Office, receiver: Receiver
) -> None:
    office.has_secret("mine", key=NEW_KEY, previousKey=OLD_KEY)
    one = await office.owes(url(receiver), signing="mine")
    async with office.at_work():
        await office.ends(one)
    (got,) = receiver.received
    got.verify(NEW_KEY)
    got.verify(OLD_KEY)


async def test_a_receiver_that_keeps_to_the_page_takes_ours_and_refuses_what_is_old_or_changed(
    office: Office, receiver: Receiver
) -> None:
    office.has_secret("mine", key=NEW_KEY, previousKey=OLD_KEY)
    one = await office.owes(url(receiver), signing="mine")
    async with office.at_work():
        await office.ends(one)
    (got,) = receiver.received
    is_ours = snippets.of(PAGE)["is_ours"]
    sent_at = int(got.headers["x-coxswain-timestamp"])
    for secret in (NEW_KEY, OLD_KEY):
        assert is_ours(got.headers, got.body, secret, now=sent_at + 299)
        assert not is_ours(got.headers, got.body, secret, now=sent_at + 301)
        assert not is_ours(got.headers, got.body, secret, now=sent_at - 301)
        assert not is_ours(got.headers, got.body + b" ", secret, now=sent_at)
    later = {**got.headers, "x-coxswain-timestamp": str(sent_at + 1)}
    assert not is_ours(later, got.body, NEW_KEY, now=sent_at)
    assert got.headers["x-coxswain-signature"].startswith("v1=")


async def test_the_installation_names_a_secret_for_jobs_that_name_none(
    office: Office, receiver: Receiver
) -> None:
    office.is_signing, office.settings = True, {"callbacks_signing_secret": "ours"}
    office.has_secret("ours", key=NEW_KEY)
    one = await office.owes(url(receiver))
    async with office.at_work():
        await office.ends(one)
    receiver.received[0].verify(NEW_KEY)


@pytest.mark.parametrize("is_signing", [True, False])
@pytest.mark.parametrize(
    ("secret", "wanted"),
    [
        (None, "SecretMissing"),
        ({"kind": "Opaque", "key": NEW_KEY}, "SecretInvalid"),
        ({"other": NEW_KEY}, "SecretInvalid"),
        ({"key": "whsec_dG9vIHNob3J0"}, "SecretInvalid"),
        ({"key": NEW_KEY, "previousKey": "word-that-nobody-may-read"}, "SecretInvalid"),
    ],
)
async def test_without_a_usable_secret_it_is_skipped_and_never_sent_unsigned(
    office: Office,
    receiver: Receiver,
    secret: dict[str, str] | None,
    wanted: str,
    *,
    is_signing: bool,
) -> None:
    office.is_signing = is_signing
    if secret is not None:
        office.has_secret("mine", **secret)
    said = await skipped(office, wanted, url=url(receiver), signing="mine")
    assert receiver.received == []
    assert "mine" in said["message"]
    assert "word-that-nobody-may-read" not in str(said)


async def test_where_callbacks_are_signed_a_job_that_names_no_secret_is_skipped(
    office: Office, receiver: Receiver
) -> None:
    office.is_signing = True
    await skipped(office, "SecretMissing", url=url(receiver))
    assert receiver.received == []


async def test_where_they_need_not_be_signed_no_header_pretends_that_they_are(
    office: Office, receiver: Receiver
) -> None:
    one = await office.owes(url(receiver))
    async with office.at_work():
        await office.ends(one)
    (got,) = receiver.received
    assert {"webhook-id", "webhook-timestamp"} <= set(got.headers)
    assert not [name for name in got.headers if "signature" in name]


@dataclasses.dataclass
class Unsure(Office):
    """Its API server does not answer the first time."""

    asked: int = 0

    @override
    async def read_object(self, path: str) -> dict[str, Any]:
        self.asked += 1
        if self.asked == 1:
            raise UnavailableError("the API server does not answer")
        return await super().read_object(path)


async def test_while_nobody_can_read_the_secret_it_waits_and_uses_no_try(
    operator_store: Store, gateway_store: Store, receiver: Receiver, database: Database
) -> None:
    office = Unsure(operator_store, gateway_store, origins=[f"http://a.test:{receiver.port}"])
    office.has_secret("mine", key=NEW_KEY)
    one = await office.owes(url(receiver), signing="mine")
    async with office.at_work():
        async with office.patience():
            while (await office.state(one)).tries != 0 or office.asked == 0:
                await office.moment()
        assert receiver.received == []
        await _due_now(database)
        done = await office.ends(one)
    assert (done.state, done.tries) == (DeliveryState.DELIVERED, 1)


def encrypting(office: Office, folder: Path) -> ssl.SSLContext:
    """What a receiver called a.test serves with, whose authority the gateway trusts."""
    authority = pki.Authority(folder)
    pair = authority.issue("a", "a.test", hosts=["a.test"])
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(pair.certificate, pair.key)
    office.tls = ssl.create_default_context(cafile=str(authority.certificate))
    return server


async def test_the_certificate_must_be_the_hosts(office: Office, tmp_path: Path) -> None:
    office.limits = dataclasses.replace(office.limits, tries=1)
    async with Receiver(encrypting(office, tmp_path)) as receiver:
        office.origins = [f"https://{host}.test:{receiver.port}" for host in "ab"]
        good = await office.owes(f"https://a.test:{receiver.port}/", "a")
        bad = await office.owes(f"https://b.test:{receiver.port}/", "b")
        async with office.at_work():
            assert (await office.ends(good)).state is DeliveryState.DELIVERED
            assert (await office.ends(bad)).state is DeliveryState.DEAD
        assert receiver.ids == [str(good)]
    assert await office.log(bad) == [(1, None, "connect")]


async def test_an_encrypted_connection_asks_for_the_host_by_its_name_and_for_no_newer_http(
    office: Office, tmp_path: Path
) -> None:
    server, asked = encrypting(office, tmp_path), list[tuple[ssl.SSLObject, str]]()
    server.set_alpn_protocols(["h2", "http/1.1"])
    server.sni_callback = lambda hello, name, _: asked.append((hello, name))
    async with Receiver(server) as receiver:
        office.origins = [f"https://a.test.:{receiver.port}"]
        one = await office.owes(f"https://A.test.:{receiver.port}/")
        async with office.at_work():
            assert (await office.ends(one)).state is DeliveryState.DELIVERED
            assert [(name, hello.selected_alpn_protocol()) for hello, name in asked] == [
                ("a.test", "http/1.1")
            ]


class Late(Dialer):
    """Hands a connection on only once something has come over it."""

    def __init__(self) -> None:
        super().__init__(addresses.ANYWHERE, resolve=loopback)
        self.spoken = asyncio.Event()

    @override
    async def connect(self, host: str, port: int, one: Callable[[str, float], Awaitable[T]]) -> T:
        found = await super().connect(host, port, one)
        await self.spoken.wait()
        for _ in range(10):
            await asyncio.sleep(0)
        return found


async def test_what_is_said_before_a_connection_is_encrypted_is_no_answer(
    office: Office, tmp_path: Path
) -> None:
    dialer, encrypted = Late(), encrypting(office, tmp_path)

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # As somebody on the way would, who cannot speak for the host.
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        dialer.spoken.set()
        with contextlib.suppress(OSError):
            await writer.start_tls(encrypted)
            await reader.read(1)
        writer.close()

    poster = Poster(dialer, dialer, seconds=10, tls=office.tls)
    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        url = f"https://a.test:{server.sockets[0].getsockname()[1]}/"
        found = await poster.post(url, b"{}", {}, is_listed=True)
        await poster.close()
    assert (found.answer.status, found.error) == (None, "connect")


async def test_no_key_and_no_body_is_kept_in_the_log_of_tries_or_in_an_event(
    office: Office, receiver: Receiver, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    office.has_secret("mine", key=NEW_KEY)
    one = await office.owes(url(receiver), signing="mine")
    async with office.at_work():
        await office.ends(one)
    connection = await asyncpg.connect(database.admin)
    found = await connection.fetch(
        "SELECT row_to_json(t)::text AS text FROM delivery_tries t"
        " UNION ALL SELECT row_to_json(e)::text FROM events e"
        " UNION ALL SELECT (to_jsonb(d) - 'body')::text FROM deliveries d"
    )
    await connection.close()
    text = "\n".join(row["text"] for row in found) + capsys.readouterr().out
    assert str(one) in text
    assert ended.ANSWER not in text
    assert NEW_KEY.removeprefix("whsec_")[:12] not in text


async def _due_now(database: Database) -> None:
    connection = await asyncpg.connect(database.admin)
    await connection.execute("UPDATE deliveries SET due_at = now() WHERE state = 'Pending'")
    await connection.close()
