"""Calls to providers, against a local server that speaks the real formats."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from coxswain.api.agent import Provider as Name
from coxswain.api.contract import ProviderError
from coxswain.gateway.models import wire
from coxswain.gateway.models.destinations import Destination
from coxswain.gateway.models.errors import ProviderFailedError
from coxswain.gateway.models.upstream import Upstream
from coxswain.gateway.models.wire import ChatRequest, Counts, Document
from coxswain.web import request_ids
from tests.support import provider
from tests.support.provider import CallTool, Cut, FailMidway, Provider, Say

CANARY = "sk-canary-0123456789abcdef"
BOTH = [Name.OPENAI, Name.ANTHROPIC]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "read_file",
            "description": "Read.",
            "parameters": {"type": "object", "properties": {"path": {"type": "string"}}},
        },
    }
]


@pytest.fixture
async def server() -> AsyncIterator[Provider]:
    async with Provider() as running:
        yield running


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    made = Upstream(read_seconds=0.3, total_seconds=5)
    yield made
    await made.close()


def place(server: Provider, name: Name) -> Destination:
    tail = "/v1" if name is Name.OPENAI else ""
    return Destination(name, server.url + tail, listed=True, key=CANARY)


def request(**fields: Any) -> ChatRequest:
    known: dict[str, Any] = {"model": "default", "messages": [{"role": "user", "content": "hi"}]}
    return ChatRequest(**(known | fields))


async def chunks(upstream: Upstream, where: Destination, asked: ChatRequest) -> list[Document]:
    return [chunk async for chunk in upstream.stream(where, "real-model", asked)]


async def either(upstream: Upstream, where: Destination, *, streamed: bool) -> None:
    if streamed:
        await chunks(upstream, where, request(stream=True))
    else:
        await upstream.complete(where, "real-model", request())


async def collect(upstream: Upstream, where: Destination, into: list[Document]) -> None:
    async for chunk in upstream.stream(where, "m", request(stream=True)):
        into.append(chunk)


def text_of(found: list[Document]) -> str:
    return "".join(
        choice["delta"].get("content") or "" for chunk in found for choice in chunk["choices"]
    )


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("name", BOTH)
async def test_a_call_carries_the_id_of_the_request_that_caused_it(
    server: Provider, upstream: Upstream, name: Name, streamed: bool
) -> None:
    with request_ids.bound("abc-1"):
        await either(upstream, place(server, name), streamed=streamed)
    assert server.ids == ["abc-1"]


@pytest.mark.parametrize("name", BOTH)
async def test_an_answer_comes_in_openai_format_with_its_counts(
    server: Provider, upstream: Upstream, name: Name
) -> None:
    answer = await upstream.complete(place(server, name), "real-model", request())
    assert answer["choices"][0]["message"]["content"] == Say().text
    assert wire.counts(answer) == Counts(provider.INPUT_TOKENS, provider.OUTPUT_TOKENS)
    assert server.keys == [CANARY]
    assert server.requests[0]["model"] == "real-model"


@pytest.mark.parametrize("name", BOTH)
async def test_a_stream_comes_in_openai_format_with_its_counts(
    server: Provider, upstream: Upstream, name: Name
) -> None:
    found = await chunks(upstream, place(server, name), request(stream=True))
    assert text_of(found).strip() == Say().text
    counted = [counts for chunk in found if (counts := wire.counts(chunk)) is not None]
    assert counted[-1].output_tokens == provider.OUTPUT_TOKENS


@pytest.mark.parametrize("name", BOTH)
async def test_a_tool_call_passes_through_a_stream(
    server: Provider, upstream: Upstream, name: Name
) -> None:
    server.will(CallTool("read_file", {"path": "a.txt"}))
    found = await chunks(upstream, place(server, name), request(stream=True, tools=TOOLS))
    calls = [
        call
        for chunk in found
        for choice in chunk["choices"]
        for call in choice["delta"].get("tool_calls") or []
    ]
    assert calls[0]["function"]["name"] == "read_file"
    arguments = "".join(call["function"].get("arguments") or "" for call in calls)
    assert arguments == '{"path": "a.txt"}'


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize(("step", "code"), provider.FAULTS, ids=str)
async def test_every_failure_has_its_code_and_never_shows_the_key(
    server: Provider,
    upstream: Upstream,
    name: Name,
    step: provider.Step,
    code: str,
    streamed: bool,
) -> None:
    server.will(step)
    with pytest.raises(ProviderFailedError) as caught:
        await either(upstream, place(server, name), streamed=streamed)
    assert caught.value.provider_error is ProviderError[code]
    assert "canary" not in caught.value.message
    assert caught.value.__cause__ is None
    assert len(server.requests) == 1, "nothing is tried twice"


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize(
    ("step", "code"),
    [(Cut(clean=True), "STREAM_CUT"), (FailMidway("overloaded_error"), "UNAVAILABLE")],
    ids=str,
)
async def test_a_stream_that_fails_midway_gives_what_came_then_its_code(
    server: Provider, upstream: Upstream, name: Name, step: provider.Step, code: str
) -> None:
    server.will(step)
    found: list[Document] = []
    with pytest.raises(ProviderFailedError) as caught:
        await collect(upstream, place(server, name), found)
    assert text_of(found).strip()
    assert caught.value.provider_error is ProviderError[code]


async def test_a_provider_that_is_not_there_is_unavailable(upstream: Upstream) -> None:
    nowhere = Destination(Name.OPENAI, "http://127.0.0.1:9/v1", listed=True, key=CANARY)
    with pytest.raises(ProviderFailedError) as caught:
        await upstream.complete(nowhere, "m", request())
    assert caught.value.provider_error is ProviderError.UNAVAILABLE


async def test_a_private_address_that_is_not_listed_is_refused_at_connect_time(
    server: Provider, upstream: Upstream
) -> None:
    where = Destination(Name.OPENAI, server.url + "/v1", listed=False, key=CANARY)
    with pytest.raises(ProviderFailedError) as caught:
        await upstream.complete(where, "m", request())
    assert caught.value.provider_error is ProviderError.NOT_ALLOWED
    assert server.requests == []


async def test_fields_of_a_provider_go_along_to_openai(
    server: Provider, upstream: Upstream
) -> None:
    asked = request(temperature=0.5, vendor_field={"a": 1})
    await upstream.complete(place(server, Name.OPENAI), "m", asked)
    assert server.requests[0]["temperature"] == 0.5
    assert server.requests[0]["vendor_field"] == {"a": 1}


async def test_a_field_that_anthropic_has_not_is_refused_by_name(
    server: Provider, upstream: Upstream
) -> None:
    with pytest.raises(ProviderFailedError, match="vendor_field") as caught:
        await upstream.complete(place(server, Name.ANTHROPIC), "m", request(vendor_field=1))
    assert caught.value.provider_error is ProviderError.BAD_REQUEST
    assert server.requests == []


async def test_a_reader_that_stops_ends_the_call_behind_it(
    server: Provider, upstream: Upstream
) -> None:
    found = upstream.stream(place(server, Name.OPENAI), "m", request(stream=True))
    await anext(found)
    await found.aclose()
    assert len(server.requests) == 1
