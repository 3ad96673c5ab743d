"""The pure rules about providers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coxswain.api.agent import Provider
from coxswain.api.contract import ModelRoute, ProviderError
from coxswain.rules import providers
from coxswain.rules.providers import Failure, Fault

KEY = "sk-canary-0123456789abcdef"


def test_every_code_has_a_status_and_a_sentence() -> None:
    assert set(providers.HTTP_STATUS) == set(ProviderError) == set(providers.MESSAGES)


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("HTTPS://API.Example.com:443/v1/", "https://api.example.com/v1"),
        ("http://h:80", "http://h"),
        ("https://h:0", "https://h:0"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("https://h/V1", "https://h/V1"),
    ],
)
def test_a_url_has_one_spelling(url: str, same: str) -> None:
    assert providers.canonical(url) == same


def test_default_is_the_first_model_unless_an_alias_is_called_so() -> None:
    one = ModelRoute(alias="one", provider=Provider.DEMO, model="m")
    named = ModelRoute(alias="default", provider=Provider.DEMO, model="n")
    assert providers.pick([one], "default") == one
    assert providers.pick([one, named], "default") == named
    assert providers.pick([one], "other") is None
    assert providers.pick([], "default") is None


def test_only_words_about_the_request_are_passed_on() -> None:
    told = Failure(Fault.ANSWERED, 400, message="field x is wrong")
    assert "field x is wrong" in providers.explain(ProviderError.BAD_REQUEST, told, KEY)
    hidden = Failure(Fault.ANSWERED, 401, message="bad key")
    assert "bad key" not in providers.explain(ProviderError.AUTHENTICATION, hidden, KEY)


@given(
    st.text(max_size=60),
    st.integers(0, len(KEY) - 8),
    st.integers(8, len(KEY)),
    st.text(max_size=60),
)
def test_no_long_part_of_a_key_survives(before: str, start: int, length: int, after: str) -> None:
    part = KEY[start : start + length]
    cleaned = providers.redact(f"{before}{part}{after}", KEY)
    assert part not in cleaned


def test_what_looks_like_a_key_is_taken_out_without_knowing_it() -> None:
    assert "abcdefgh" not in providers.redact("Bearer abcdefgh12345 sk-abcdefgh12345", None)
