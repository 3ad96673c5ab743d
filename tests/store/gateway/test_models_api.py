"""The model door over HTTP: its format, its refusals, its usage rows."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from coxswain.api.agent import Provider as Name
from coxswain.api.contract import ModelRoute
from tests.support.model_gateway import TOKEN, ModelGateway
from tests.support.platform_door import document
from tests.support.provider import Cut, Fail, FailMidway, Provider, Say
from tests.support.waiting import until

CANARY = "sk-canary-0123456789abcdef"
SECRET = "/api/v1/namespaces/team/secrets/key"
HELLO = [{"role": "user", "content": "hi"}]
DEMO = ModelRoute(alias="toy", provider=Name.DEMO, model="demo")


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with Provider() as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session:
        yield session


def gateway(provider: Provider, **fields: Any) -> ModelGateway:
    url = f"{provider.url}/v1"
    route = ModelRoute(
        alias="main", provider=Name.OPENAI, model="real-model", base_url=url, secret_name="key"
    )
    data = {"apiKey": CANARY, "baseURLs": url}
    encoded = {name: base64.b64encode(text.encode()).decode() for name, text in data.items()}
    return ModelGateway(
        run=document(**({"models": [route], "prompt": "x"} | fields)),
        secrets={SECRET: {"type": "coxswain.dev/provider", "data": encoded}},
        listed=[url],
    )


async def ask(http: aiohttp.ClientSession, door: ModelGateway, **fields: Any) -> tuple[int, Any]:
    body = {"model": "default", "messages": HELLO} | fields
    async with http.post(f"{door.url}/v1/chat/completions", json=body) as response:
        text = await response.text()
    assert "canary" not in text
    assert response.headers["X-Request-Id"]
    if not text.startswith("data: "):
        return response.status, json.loads(text)
    events = [line.removeprefix("data: ") for line in text.splitlines() if line]
    return response.status, [each if each == "[DONE]" else json.loads(each) for each in events]


async def test_an_answer_is_given_and_its_usage_recorded(
    provider: Provider, http: aiohttp.ClientSession
) -> None:
    async with gateway(provider).serving() as door:
        status, answer = await ask(http, door)
    assert status == 200
    assert answer["choices"][0]["message"]["content"] == Say().text
    (row,) = door.rows
    assert (row.outcome, row.alias, row.provider, row.model) == (
        "ok",
        "main",
        "openai",
        "real-model",
    )
    assert (row.input_tokens, row.output_tokens, row.streamed) == (11, 7, False)
    assert provider.keys == [CANARY]


async def test_a_stream_ends_with_done_and_shows_counts_only_when_asked(
    provider: Provider, http: aiohttp.ClientSession
) -> None:
    async with gateway(provider).serving() as door:
        _, plain = await ask(http, door, stream=True)
        _, counted = await ask(http, door, stream=True, stream_options={"include_usage": True})
    assert plain[-1] == counted[-1] == "[DONE]"
    assert not [event for event in plain[:-1] if not event["choices"]]
    assert counted[-2]["usage"]["completion_tokens"] == 7
    assert [row.output_tokens for row in door.rows] == [7, 7]


async def test_each_call_has_a_line_whether_it_streams_or_not(
    provider: Provider, http: aiohttp.ClientSession
) -> None:
    provider.will(Fail(429, "rate_limit_exceeded", "slow down {key}"))
    with capture_logs() as lines:
        async with gateway(provider).serving() as door:
            await ask(http, door)
            await ask(http, door)
            await ask(http, door, stream=True)
    calls = [line for line in lines if line["event"] == "model call"]
    assert [(line["streamed"], line["outcome"]) for line in calls] == [
        (False, "PROVIDER_RATE_LIMITED"),
        (False, "ok"),
        (True, "ok"),
    ]
    assert {line["model"] for line in calls} == {"real-model"}


async def test_a_failure_has_openais_shape_our_code_and_a_row(
    provider: Provider, http: aiohttp.ClientSession
) -> None:
    provider.will(Fail(429, "rate_limit_exceeded", "slow down {key}"))
    async with gateway(provider).serving() as door:
        status, answer = await ask(http, door)
    assert status == 429
    assert answer["error"]["code"] == "PROVIDER_RATE_LIMITED"
    assert [row.outcome for row in door.rows] == ["PROVIDER_RATE_LIMITED"]


async def test_a_stream_that_cannot_begin_answers_with_a_status(
    provider: Provider, http: aiohttp.ClientSession
) -> None:
    provider.will(Fail(401, "invalid_api_key", "Incorrect API key provided: {key}"))
    async with gateway(provider).serving() as door:
        status, answer = await ask(http, door, stream=True)
    assert (status, answer["error"]["code"]) == (424, "PROVIDER_AUTHENTICATION")


@pytest.mark.parametrize(
    ("step", "code"),
    [(Cut(), "PROVIDER_STREAM_CUT"), (FailMidway(message="{key}"), "PROVIDER_UNAVAILABLE")],
    ids=["cut", "error event"],
)
async def test_a_stream_that_breaks_off_ends_with_an_error_and_without_done(
    provider: Provider, http: aiohttp.ClientSession, step: Cut | FailMidway, code: str
) -> None:
    provider.will(step)
    async with gateway(provider).serving() as door:
        status, events = await ask(http, door, stream=True)
    assert status == 200
    assert events[-1]["error"]["code"] == code
    assert [row.outcome for row in door.rows] == [code]


async def test_another_model_is_refused_with_the_list(
    provider: Provider, http: aiohttp.ClientSession
) -> None:
    async with gateway(provider).serving() as door:
        status, answer = await ask(http, door, model="gpt-99")
    assert (status, answer["error"]["code"]) == (403, "PROVIDER_NOT_ALLOWED")
    assert "default, main" in answer["error"]["message"]
    assert provider.requests == []


async def test_demo_beside_a_real_provider_is_refused_on_use(
    provider: Provider, http: aiohttp.ClientSession
) -> None:
    door = gateway(provider)
    models = [*door.run.models, DEMO]
    async with gateway(provider, models=models).serving() as running:
        status, answer = await ask(http, running, model="toy")
    assert (status, answer["error"]["code"]) == (403, "PROVIDER_NOT_ALLOWED")
    assert [row.outcome for row in running.rows] == ["PROVIDER_NOT_ALLOWED"]


async def test_missing_credentials_raise_a_doubt_about_the_agent(
    provider: Provider, http: aiohttp.ClientSession
) -> None:
    door = gateway(provider)
    door.secrets.clear()
    async with door.serving():
        status, answer = await ask(http, door)
    assert (status, answer["error"]["code"]) == (424, "PROVIDER_CREDENTIALS_MISSING")
    assert door.doubted == [door.run.agent_uid]


async def test_the_demo_answers_without_a_key(
    provider: Provider, http: aiohttp.ClientSession
) -> None:
    async with gateway(provider, models=[DEMO]).serving() as door:
        _, answer = await ask(http, door)
        _, events = await ask(http, door, stream=True)
    assert "demo" in answer["choices"][0]["message"]["content"]
    assert events[-1] == "[DONE]"
    assert [row.outcome for row in door.rows] == ["ok", "ok"]


async def test_the_models_are_the_runs_aliases(
    provider: Provider, http: aiohttp.ClientSession
) -> None:
    async with gateway(provider).serving() as door, http.get(f"{door.url}/v1/models") as response:
        found = await response.json()
    assert [each["id"] for each in found["data"]] == ["default", "main"]


async def test_nobody_is_served_without_a_token(provider: Provider) -> None:
    async with gateway(provider).serving() as door, aiohttp.ClientSession() as stranger:
        status, answer = await ask(stranger, door)
    assert status == 401
    assert answer["error"]["code"] == "unauthenticated"


async def test_a_request_that_makes_no_sense_is_refused_with_its_place(
    provider: Provider, http: aiohttp.ClientSession
) -> None:
    async with gateway(provider).serving() as door:
        status, answer = await ask(http, door, messages=[])
    assert (status, answer["error"]["code"]) == (400, "PROVIDER_BAD_REQUEST")
    assert "messages" in answer["error"]["message"]


async def test_a_caller_that_goes_away_is_recorded_too(
    provider: Provider, http: aiohttp.ClientSession
) -> None:
    provider.will(Say("word " * 30_000))
    async with gateway(provider).serving() as door:
        body = {"model": "default", "messages": HELLO, "stream": True}
        response = await http.post(f"{door.url}/v1/chat/completions", json=body)
        await response.content.readany()
        response.close()
        await until(lambda: len(door.rows) == 1)
    assert door.rows[0].outcome == "CallerGone"
