"""Where a call may go, and with which key."""

import base64
from typing import Any

import pytest

from coxswain.api.agent import Provider
from coxswain.api.contract import ModelRoute, ProviderError
from coxswain.errors import ForbiddenError, NotFoundError
from coxswain.gateway.models.destinations import Destinations, IsOn, RefusedError

CANARY = "sk-canary-0123456789abcdef"
OPENAI = "https://api.openai.com/v1"


def secret(**fields: Any) -> dict[str, Any]:
    data = {"apiKey": CANARY, "baseURLs": f"{OPENAI}\nhttps://llm.example/v1/\n"} | fields
    encoded = {name: base64.b64encode(text.encode()).decode() for name, text in data.items()}
    return {"type": "coxswain.dev/provider", "data": encoded}


class Secrets:
    """Objects by path; counts what is read."""

    def __init__(self, found: Any = None) -> None:
        self.found = found if found is not None else secret()
        self.read: list[str] = []

    async def get(self, path: str) -> dict[str, Any]:
        self.read.append(path)
        if isinstance(self.found, Exception):
            raise self.found
        answer: dict[str, Any] = self.found
        return answer


def always(on: bool) -> IsOn:
    async def is_on() -> bool:
        return on

    return is_on


def destinations(
    found: Any = None, listed: tuple[str, ...] = (), *, demo: bool = True
) -> Destinations:
    return Destinations(Secrets(found).get, listed_urls=listed, demo=always(demo))


def route(**fields: Any) -> ModelRoute:
    known: dict[str, Any] = {
        "alias": "main",
        "provider": Provider.OPENAI,
        "model": "m",
        "secret_name": "key",
    }
    return ModelRoute(**(known | fields))


async def refusal(where: Destinations, wanted: ModelRoute) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        await where.find("team", wanted)
    assert CANARY not in str(caught.value)
    return caught.value


async def test_the_key_of_a_secret_goes_to_a_url_that_it_names() -> None:
    found = await destinations().find("team", route())
    assert (found.url, found.key, found.listed) == (OPENAI, CANARY, False)
    assert CANARY not in repr(found)


async def test_spellings_of_one_url_are_one() -> None:
    found = await destinations().find("team", route(base_url="https://LLM.example:443/v1"))
    assert found.url == "https://llm.example/v1"


async def test_a_url_that_the_secret_does_not_name_is_refused() -> None:
    error = await refusal(destinations(), route(base_url="https://evil.example/v1"))
    assert error.reason == "BaseURLNotAllowed"
    assert error.provider_error is ProviderError.NOT_ALLOWED


async def test_a_secret_without_urls_may_be_sent_nowhere() -> None:
    error = await refusal(destinations(secret(baseURLs="")), route())
    assert error.reason == "BaseURLNotAllowed"


async def test_a_url_without_a_secret_must_be_listed() -> None:
    url = "http://10.0.0.8:8000/v1"
    bare = route(secret_name=None, base_url=url)
    assert (await refusal(destinations(), bare)).reason == "BaseURLNotAllowed"
    found = await destinations(listed=(url + "/",)).find("team", bare)
    assert (found.key, found.listed) == (None, True)


async def test_a_key_is_not_sent_unencrypted_to_a_place_that_is_not_listed() -> None:
    url = "http://llm.example/v1"
    held = secret(baseURLs=url)
    assert (await refusal(destinations(held), route(base_url=url))).reason == "BaseURLNotAllowed"
    assert (await destinations(held, (url,)).find("team", route(base_url=url))).key == CANARY


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (NotFoundError("no"), "CredentialsMissing"),
        (ForbiddenError("no"), "CredentialsMissing"),
        (secret() | {"type": "Opaque"}, "CredentialsWrongType"),
        (secret(apiKey=" "), "CredentialsMissing"),
        ({"type": "coxswain.dev/provider"}, "CredentialsMissing"),
        (
            {"type": "coxswain.dev/provider", "data": {"apiKey": "not base64"}},
            "CredentialsMissing",
        ),
    ],
    ids=["gone", "forbidden", "type", "empty", "no data", "garbage"],
)
async def test_a_secret_that_cannot_be_used_has_its_reason(found: Any, reason: str) -> None:
    error = await refusal(destinations(found), route())
    assert error.reason == reason
    assert error.provider_error is ProviderError.CREDENTIALS_MISSING


async def test_a_provider_without_credentials_is_told_what_to_do() -> None:
    error = await refusal(destinations(), route(secret_name=None))
    assert error.reason == "CredentialsMissing"
    assert "coxswain.dev/provider" in error.message


async def test_demo_needs_no_key_and_can_be_switched_off() -> None:
    bare = route(provider=Provider.DEMO, secret_name=None)
    assert (await destinations().find("team", bare)).key is None
    assert (await refusal(destinations(demo=False), bare)).reason == "ProviderUnknown"


def test_demo_beside_a_real_provider_is_refused() -> None:
    with pytest.raises(RefusedError) as caught:
        destinations().check_chain([route(), route(provider=Provider.DEMO, alias="toy")])
    assert caught.value.reason == "DemoBesideReal"


async def test_a_key_is_read_anew_after_thirty_seconds() -> None:
    now = 100.0
    secrets = Secrets()
    where = Destinations(secrets.get, listed_urls=(), demo=always(True), clock=lambda: now)
    await where.find("team", route())
    now = 129.0
    await where.find("team", route())
    assert len(secrets.read) == 1
    now = 131.0
    secrets.found = NotFoundError("gone")
    await refusal(where, route())
    assert secrets.read == ["/api/v1/namespaces/team/secrets/key"] * 2


async def test_one_workspace_never_sees_the_key_of_another() -> None:
    secrets = Secrets()
    where = Destinations(secrets.get, listed_urls=(), demo=always(True))
    await where.find("team", route())
    secrets.found = NotFoundError("gone")
    with pytest.raises(RefusedError):
        await where.find("other", route())
