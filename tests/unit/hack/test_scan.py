"""The scanner finds what must not be in the repository, and only that."""

import pytest

from devtools import scan

# Put together here, so that this file does not hold what it looks for.
KEYS = {
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "AWS access key": "AKIA" + "ABCDEFGHIJKLMNOP",
    "GitHub token": "ghp_" + "a1" * 18,
    "OpenAI or Anthropic key": "sk-" + "ant-" + "abc123" * 5,
    "JSON web token": "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0NSJ9" + ".c2lnbmF0dXJl",
    "password in an address": "postgresql://user:" + "hunter2hunter2" + "@db/x",
    "assigned secret": 'password = "' + "Zm9vYmFyYmF6cXV4eA" + '"',
}
WORDS = {
    "host of a package index": "https://pypi." + "org/simple",
    "path of somebody's machine": "see /ho" + "me/ann/notes",
    "number of an issue": "see iss" + "ue 12",
    "left open": "# TO" + "DO: later",
}


@pytest.mark.parametrize(("name", "text"), KEYS.items())
def test_a_key_is_found_by_its_name(name: str, text: str) -> None:
    assert list(scan.find(f"first line\n{text}\n", scan.SECRETS)) == [(2, name)]


@pytest.mark.parametrize(("name", "text"), WORDS.items())
def test_a_forbidden_word_is_found_by_its_name(name: str, text: str) -> None:
    assert list(scan.find(f"first line\n{text}\n", scan.WORDS)) == [(2, name)]


def test_a_key_that_calls_itself_a_canary_is_left_alone() -> None:
    assert list(scan.find("KEY = 'sk-can" + "ary-0123456789abcdef'", scan.SECRETS)) == []


def test_a_canary_may_stand_where_it_says_so() -> None:
    assert list(scan.find(f"{KEYS['GitHub token']}  # {scan.CANARY}", scan.SECRETS)) == []


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://user:$(PASSWORD)@db/x",
        "password: str = settings.password",
        "mounted at /workspace/notes",
        "the OpenAI-compatible sk- prefix",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert list(scan.find(text, {**scan.SECRETS, **scan.WORDS})) == []
