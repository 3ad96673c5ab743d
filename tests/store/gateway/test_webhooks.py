"""Webhooks at the real gateway: what is taken once, and what a stranger learns (nothing)."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from coxswain.errors import UnavailableError
from coxswain.store import mirror, triggers
from tests.support import channels, rows
from tests.support.channels import KEY, OTHER_KEY, Channels, plain, signed
from tests.support.postgres import Database


@pytest_asyncio.fixture
async def gateway(module_database: Database) -> AsyncIterator[Channels]:
    async with channels.running(module_database) as started:
        yield started


async def test_a_signed_request_is_recorded_and_answered_with_its_ids(gateway: Channels) -> None:
    uid = await gateway.hook()
    body = json.dumps({"ref": "main", "who": "Zoë"}).encode()
    said = await gateway.send(body, "msg_7")
    assert said.status == 202
    assert said.body == {
        "deliveryId": "msg_7",
        "repeated": False,
        "requestId": said.headers["X-Request-Id"],
    }
    (kept,) = await gateway.taken(uid)
    assert (kept.source, kept.delivery_id) == ("Webhook", "msg_7")
    assert await gateway.body(kept) == body.decode()


async def test_the_senders_own_request_id_comes_back(gateway: Channels) -> None:
    await gateway.hook()
    said = await gateway.post(b"{}", signed(b"{}") | {"X-Request-Id": "abc-1"})
    assert (said.headers["X-Request-Id"], said.body["requestId"]) == ("abc-1", "abc-1")


async def test_a_repeat_is_taken_once_and_answered_alike(gateway: Channels) -> None:
    uid = await gateway.hook()
    first, second = await gateway.send(), await gateway.send(ago=5)
    assert (first.status, first.body["repeated"]) == (202, False)
    assert (second.status, second.body["repeated"]) == (202, True)
    assert second.body["deliveryId"] == first.body["deliveryId"]
    assert len(await gateway.taken(uid)) == 1


async def test_the_same_at_once_at_two_replicas_is_taken_once(
    gateway: Channels, module_database: Database
) -> None:
    uid = await gateway.hook()
    async with channels.running(module_database, like=gateway) as other:
        said = await asyncio.gather(*(one.send() for one in (gateway, other) for _ in range(10)))
    assert [each.status for each in said] == [202] * 20
    assert sum(not each.body["repeated"] for each in said) == 1
    assert len(await gateway.taken(uid)) == 1


async def test_github_and_plain_signatures_are_taken_too(gateway: Channels) -> None:
    uid = await gateway.hook(scheme="GitHub")
    headers = {"X-Hub-Signature-256": f"sha256={plain(b'[1]')}", "X-GitHub-Delivery": "d-1"}
    assert (await gateway.post(b"[1]", headers)).body["deliveryId"] == "d-1"
    forged = headers | {"X-GitHub-Delivery": "d-2"}
    assert (await gateway.post(b"[1]", forged)).body["repeated"] is True
    other = await gateway.hook("plain", "HMAC", webhook={"signatureHeader": "X-Mine"})
    said = await gateway.post(b"[2]", {"X-Mine": plain(b"[2]")}, hook="plain")
    assert said.status == 202
    assert [len(await gateway.taken(each)) for each in (uid, other)] == [1, 1]


async def test_both_live_keys_are_good(gateway: Channels) -> None:
    await gateway.hook()
    gateway.secret("hooks", key=OTHER_KEY, previousKey=KEY)
    assert (await gateway.send(message_id="a", key=OTHER_KEY)).status == 202
    assert (await gateway.send(message_id="b", key=KEY)).status == 202


async def _refused(gateway: Channels, case: str) -> tuple[int, dict[str, Any], str]:
    """Have a request refused in one of many ways, and say what the sender sees of it."""
    await gateway.hook()
    await gateway.hook("silent", webhook={"secretRef": {"name": "missing"}})
    gateway.secret("typed", kind="Opaque", key=KEY)
    await gateway.hook("typed", webhook={"secretRef": {"name": "typed"}})
    gateway.secret("empty", other=KEY)
    await gateway.hook("empty", webhook={"secretRef": {"name": "empty"}})
    gateway.secret("short", key="whsec_AAAA")
    await gateway.hook("short", webhook={"secretRef": {"name": "short"}})
    await gateway.hook("broken", webhook={"scheme": "Morse"})
    await gateway.hook("asleep", suspend=True)
    await gateway.schedule("clock", cron=["@daily"])
    good = signed(b"{}")
    wrong = signed(b"{}", key=OTHER_KEY)
    cases: dict[str, tuple[str, dict[str, str], bytes]] = {
        "unknown": (f"/v1/hooks/{gateway.workspace}/nobody", good, b"{}"),
        "workspace": ("/v1/hooks/elsewhere/deploy", good, b"{}"),
        "no name": (f"/v1/hooks/{gateway.workspace}/UPPER", good, b"{}"),
        "no webhook": (f"/v1/hooks/{gateway.workspace}/clock", good, b"{}"),
        "unsigned": (f"/v1/hooks/{gateway.workspace}/deploy", {}, b"{}"),
        "wrong key": (f"/v1/hooks/{gateway.workspace}/deploy", wrong, b"{}"),
        "other body": (f"/v1/hooks/{gateway.workspace}/deploy", good, b"[]"),
        "wrong key, no JSON": (f"/v1/hooks/{gateway.workspace}/deploy", wrong, b"{"),
        "wrong key, late": (
            f"/v1/hooks/{gateway.workspace}/deploy",
            signed(b"{}", key=OTHER_KEY, ago=9999),
            b"{}",
        ),
        "no secret": (f"/v1/hooks/{gateway.workspace}/silent", good, b"{}"),
        "secret of another type": (f"/v1/hooks/{gateway.workspace}/typed", good, b"{}"),
        "secret without a key": (f"/v1/hooks/{gateway.workspace}/empty", good, b"{}"),
        "a key that is none": (f"/v1/hooks/{gateway.workspace}/short", good, b"{}"),
        "a spec that is none": (f"/v1/hooks/{gateway.workspace}/broken", good, b"{}"),
        "suspended and unsigned": (f"/v1/hooks/{gateway.workspace}/asleep", wrong, b"{}"),
    }
    path, headers, body = cases[case]
    said = await gateway.post(body, headers, path=path)
    return said.status, {**said.body, "requestId": ""}, ",".join(sorted(said.headers))


@pytest.mark.parametrize(
    "case",
    [
        *("workspace", "no name", "no webhook", "unsigned", "wrong key", "other body"),
        *("wrong key, no JSON", "wrong key, late", "no secret", "secret of another type"),
        *("secret without a key", "a key that is none", "a spec that is none"),
        "suspended and unsigned",
    ],
)
async def test_a_stranger_cannot_tell_one_refusal_from_another(
    gateway: Channels, case: str
) -> None:
    refused = await _refused(gateway, case)
    assert refused == await _refused(gateway, "unknown")
    assert refused[0] == 404
    assert refused[1]["code"] == "hook_unknown"
    for name in ("deploy", "silent", "typed", "empty", "short", "broken", "asleep", "clock"):
        row = await gateway.operator.run(mirror.get, "Schedule", gateway.workspace, name)
        assert row is not None
        assert await gateway.taken(row.uid) == ()


@pytest.mark.parametrize("ago", [301, -301, 86_400], ids=["late", "early", "old"])
async def test_a_signed_time_out_of_the_window_is_refused_and_nothing_is_kept(
    gateway: Channels, ago: int
) -> None:
    uid = await gateway.hook()
    said = await gateway.send(ago=ago)
    assert (said.status, said.body["code"]) == (409, "timestamp_refused")
    assert "300 seconds" in said.body["message"]
    assert await gateway.taken(uid) == ()
    # What was refused is not known: signed anew it is good.
    assert (await gateway.send()).body["repeated"] is False


async def test_a_suspended_schedule_says_so_to_those_who_sign(gateway: Channels) -> None:
    uid = await gateway.hook(suspend=True)
    said = await gateway.send()
    assert (said.status, said.body["code"]) == (409, "schedule_suspended")
    await gateway.hook()
    assert (await gateway.send()).body["repeated"] is False
    assert len(await gateway.taken(uid)) == 1


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 422, "not JSON"),
        (b"{", 422, "not JSON"),
        (b"\xff", 400, "not UTF-8"),
        (b'"\\u0000"', 422, "NUL"),
        (b"[" * 100 + b"]" * 100, 422, "deeper"),
        (b'{"n": "one"}', 422, "body/n"),
        (b"[]", 422, "body"),
    ],
)
async def test_a_body_that_does_not_fit_is_refused_with_its_place_and_may_come_again_mended(
    gateway: Channels, body: bytes, status: int, words: str
) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    uid = await gateway.hook(webhook={"bodySchema": json.dumps(schema)})
    said = await gateway.send(body)
    assert (said.status, said.body["field"]) == (status, "body")
    assert words in said.body["message"]
    assert await gateway.taken(uid) == ()
    assert (await gateway.send(b'{"n": 1}')).body["repeated"] is False


async def test_a_schema_that_is_none_is_the_schedules_fault(gateway: Channels) -> None:
    await gateway.hook(webhook={"bodySchema": '{"type": "nothing"}'})
    said = await gateway.send()
    assert (said.status, said.body["code"]) == (409, "schedule_invalid")
    assert "spec.webhook.bodySchema" in said.body["message"]


async def test_a_body_of_10_mib_is_refused_before_it_is_read(gateway: Channels) -> None:
    await gateway.hook()
    reader, writer = await asyncio.open_connection(channels.HERE, gateway.port)
    place = f"/v1/hooks/{gateway.workspace}/deploy"
    head = f"POST {place} HTTP/1.1\r\nHost: x\r\nContent-Length: 10485760\r\n\r\n"
    writer.write(head.encode())
    async with asyncio.timeout(5):
        answer = await reader.readuntil(b"\r\n\r\n")
    assert b" 413 " in answer.splitlines()[0]
    writer.transport.abort()


async def test_a_body_without_a_length_is_read_to_the_bound_and_no_further(
    gateway: Channels,
) -> None:
    await gateway.hook()
    sent = 0

    async def parts() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(160):
            sent += 65_536
            yield b"x" * 65_536

    asked = gateway.session.post(f"{gateway.url}/v1/hooks/{gateway.workspace}/deploy", data=parts())
    async with asked as answer:
        assert answer.status == 413
        assert (await answer.json())["code"] == "too_large"


async def test_the_largest_body_that_is_taken_is_a_mib(gateway: Channels) -> None:
    uid = await gateway.hook()
    body = b'"' + b"x" * (1_048_576 - 2) + b'"'
    assert (await gateway.send(body)).status == 202
    assert (await gateway.send(body + b" ", "msg_2")).status == 413
    (kept,) = await gateway.taken(uid)
    assert len(await gateway.body(kept)) == 1_048_576


async def test_a_sender_that_dawdles_is_given_up_and_another_is_served(
    module_database: Database,
) -> None:
    few = channels.running(module_database, webhooks_at_once=1, webhooks_seconds=2)
    async with few as gateway:
        await gateway.hook()
        reader, writer = await asyncio.open_connection(channels.HERE, gateway.port)
        head = "POST /v1/hooks/any/one HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
        writer.write(head.encode())
        async with asyncio.timeout(1.9):
            while (said := await gateway.send()).status == 202:
                pass
        assert (said.status, said.body["code"]) == (503, "too_many_requests")
        assert said.headers["Retry-After"]
        async with asyncio.timeout(5):
            answer = await reader.readuntil(b"\r\n\r\n")
        assert b" 408 " in answer.splitlines()[0]
        assert (await gateway.send(message_id="msg_2")).status == 202
        writer.transport.abort()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
async def test_only_a_post_is_taken(gateway: Channels, method: str) -> None:
    uid = await gateway.hook()
    said = await gateway.post(b"{}", signed(b"{}"), method=method)
    assert said.status == 404
    assert await gateway.taken(uid) == ()


@pytest.mark.parametrize("path", ["/", "/docs", "/v1/openapi.json", "/v1/hooks", "/v1/jobs"])
async def test_there_is_nothing_else_at_the_gateway(gateway: Channels, path: str) -> None:
    said = await gateway.post(path=path, method="GET")
    assert (said.status, said.body["code"]) == (404, "route_unknown")


@pytest.mark.parametrize(
    "path", ["/.env", "/.git/config", "/wp-login.php", "/secrets.json", "/%2eenv", "/v1/..%2f.env"]
)
async def test_a_scanner_gets_nothing_back_and_is_counted(gateway: Channels, path: str) -> None:
    series = 'coxswain_probes_dropped_total{server="channels"}'
    before = await gateway.metric(series)
    said = await gateway.post(path=path, method="GET")
    assert (said.status, said.body) == (404, {})
    assert "X-Request-Id" not in said.headers
    assert await gateway.metric(series) == before + 1


async def test_while_nobody_can_say_whose_key_it_is_senders_come_again(gateway: Channels) -> None:
    uid = await gateway.hook()
    gateway.cluster.refusal = UnavailableError("the API server does not answer")
    said = await gateway.send()
    assert said.status == 503
    assert said.headers["Retry-After"]
    assert (await gateway.send()).body["repeated"] is False
    assert len(await gateway.taken(uid)) == 1


async def test_a_schedule_that_is_full_asks_senders_to_come_again_and_then_takes_it(
    gateway: Channels,
) -> None:
    uid = await gateway.hook()
    await rows.triggers(gateway.database.admin, uid, triggers.MOST_OPEN)
    said = await gateway.send()
    assert (said.status, said.body["code"]) == (503, "too_many_waiting")
    open_ones = await gateway.taken(uid)
    await gateway.operator.transact(triggers.handle, [each.id for each in open_ones])
    assert (await gateway.send()).body["repeated"] is False


async def test_what_came_of_requests_is_counted(gateway: Channels) -> None:
    await gateway.hook()
    outcomes = ("taken", "repeated", "signature", "no_hook", "timestamp_refused")
    series = [f'coxswain_webhooks_total{{outcome="{each}"}}' for each in outcomes]
    before = [await gateway.metric(each) for each in series]
    for sent in (
        gateway.send(),
        gateway.send(),
        gateway.send(key=OTHER_KEY),
        gateway.post(hook="nobody"),
        gateway.send(message_id="old", ago=999),
    ):
        await sent
    assert [await gateway.metric(each) for each in series] == [each + 1 for each in before]
