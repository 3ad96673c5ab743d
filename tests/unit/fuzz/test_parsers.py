"""What strangers send is read, or refused in our words; nothing that they send is an error of another sort.

One target for each parser: cron lines, addresses of callbacks, events, tokens, stored objects, CONNECT.
Longer: ``COXSWAIN_EXAMPLES=100000 hack/test unit -- tests/unit/fuzz -k cron``.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from coxswain.api.contract import EVENT_BYTES
from coxswain.api.event_type import Writer
from coxswain.api.job import Callback
from coxswain.api.kind import Agent, Job, Lease, Metadata, Schedule
from coxswain.errors import UnauthenticatedError, UserError
from coxswain.gateway.egress import answers, asking
from coxswain.gateway.egress.asking import Asked
from coxswain.rules import callbacks, cron
from coxswain.sidecar import event_checks
from coxswain.sidecar.wire import TAKEN
from coxswain.store import pool
from coxswain.web import reading
from tests.support import fuzz

DOMAINS = ("receiver.example", "*.hooks.example")
ORIGINS = ("http://plain.example:8080", "https://receiver.example:8443")
POLICY = callbacks.policy(enabled=True, domains=[*DOMAINS, "plain.example"], origins=[*ORIGINS])
BERLIN = ZoneInfo("Europe/Berlin")
BEGIN = datetime(2026, 3, 28, 12, tzinfo=UTC)
KINDS = (Agent, Job, Schedule, Lease)
T = TypeVar("T")


def tried(act: Callable[[], T]) -> T | UserError:
    """What comes of it, or our refusal; anything else that is raised is a find."""
    try:
        return act()
    except UserError as error:
        return error


@given(fuzz.cron_lines)
def test_a_cron_line_fires_in_order_or_is_refused_with_its_place(line: str) -> None:
    read = tried(lambda: cron.read(line, field="spec.cron[0]"))
    if isinstance(read, UserError):
        assert read.field == "spec.cron[0]"
        return
    found = list(islice(read.after(BEGIN, BERLIN), 3))
    assert all(one < other for one, other in zip([BEGIN, *found], found, strict=False))


@given(fuzz.addresses)
@example("https://xn--a.hooks.example")
def test_a_callback_goes_only_where_the_client_would_really_go(url: str) -> None:
    verdict = callbacks.refusal(url, POLICY)
    try:
        Callback.model_validate({"url": url})
        dialled = httpx.URL(url)
    except (ValidationError, httpx.InvalidURL):
        # Refused before anybody asks for a verdict, or never sent.
        return
    if verdict is not None:
        return
    # As it is looked up: not every label that begins with xn-- stands for another.
    host = dialled.raw_host.decode().rstrip(".")
    assert host in {"receiver.example", "plain.example"} or host.endswith(".hooks.example")
    origin = f"{dialled.scheme}://{host}:{dialled.port}"
    assert (dialled.scheme, dialled.port) == ("https", None) or origin in ORIGINS


@given(st.sampled_from(list(TAKEN)), fuzz.batches)
def test_a_batch_of_events_can_be_kept_or_is_refused_with_its_place(
    writer: Writer, data: bytes
) -> None:
    try:
        batch: Any = TAKEN[writer].model_validate_json(data)
    except ValidationError as error:
        # As the route does; it has a place or says that this is no JSON.
        reading.refusal(error)
        return
    for number, each in enumerate(batch.events):
        check = partial(event_checks.check, writer, each.type, each.event_version, each.details)
        refused = tried(partial(check, place=f"events.{number}"))
        if refused is None:
            _can_be_kept(each.details)
        else:
            assert str(refused.field).startswith(f"events.{number}")


def _can_be_kept(details: dict[str, Any]) -> None:
    kept = pool.encode(details)
    assert len(kept.encode()) <= EVENT_BYTES
    assert not any("\0" in text for text in fuzz.texts(details))
    json.loads(kept, parse_constant=lambda word: pytest.fail(f"{word} would be kept"))


@given(fuzz.tokens)
def test_a_token_that_nobody_signed_is_nobodys(token: str) -> None:
    with pytest.raises(UnauthenticatedError):
        asyncio.run(fuzz.verifier().pod(token))


@given(fuzz.claims)
def test_a_signed_token_is_the_pods_that_it_names_or_nobodys(claims: dict[str, Any]) -> None:
    try:
        pod = asyncio.run(fuzz.verifier().pod(fuzz.signed(claims)))
    except UnauthenticatedError:
        return
    said = claims["kubernetes.io"]
    assert (pod.workspace, pod.name, pod.uid) == (
        said["namespace"],
        said["pod"]["name"],
        said["pod"]["uid"],
    )
    assert claims["sub"] == f"system:serviceaccount:{pod.workspace}:{pod.account}"
    assert fuzz.AUDIENCE in claims["aud"]


def test_a_good_token_is_its_pods() -> None:
    pod = asyncio.run(fuzz.verifier().pod(fuzz.signed(fuzz.good_claims())))
    assert (pod.workspace, pod.name) == ("team", "pod")


@given(st.sampled_from(KINDS), fuzz.objects)
def test_a_stored_object_is_read_or_refused_with_its_place(kind: Any, raw: dict[str, Any]) -> None:
    kind.status_of(raw)
    for read in (kind.parse, kind.recorded, Metadata.parse):
        found = tried(partial(read, raw))
        if isinstance(found, UserError):
            assert str(found.field).startswith(("metadata", "spec"))


@given(fuzz.heads)
def test_a_tunnel_is_asked_for_in_one_way_however_its_words_arrive(parts: list[bytes]) -> None:
    found = asyncio.run(_asked(parts))
    whole = asyncio.run(_asked([b"".join(parts)]))
    assert _shown(found) == _shown(whole)
    if isinstance(found, UserError):
        assert 400 <= answers.status_of(found) < 500
        assert answers.refusal(found).startswith(b"HTTP/1.1 4")
        return
    if found is None:
        return
    assert found.host == found.host.lower()
    assert 0 <= found.port <= 99_999
    token = tried(lambda: found.token)
    assert answers.status_of(token) == 407 if isinstance(token, UserError) else token.isascii()


async def _asked(parts: Sequence[bytes]) -> Asked | UserError | None:
    reader = asyncio.StreamReader()
    reading_it = asyncio.ensure_future(asking.read(reader))
    for part in parts:
        reader.feed_data(part)
        await asyncio.sleep(0)
    reader.feed_eof()
    try:
        return await reading_it
    except UserError as error:
        return error


def _shown(found: Asked | UserError | None) -> tuple[object, ...]:
    """Without what came early, whose size is an accident."""
    if isinstance(found, Asked):
        return (found.host, found.port, found.authorization)
    return (None if found is None else found.code,)
