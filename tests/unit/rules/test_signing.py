"""Our signatures are what the published implementation makes and takes, to the byte."""

import base64
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from coxswain.rules import signing

# The vector that the implementations of Standard Webhooks test themselves with.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTOR_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
VECTOR_TIME = 1614265330
VECTOR_BODY = b'{"test": 2432232314}'
VECTOR = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

KEYS = st.binary(min_size=signing.FEWEST_BYTES, max_size=signing.MOST_BYTES)
IDS = st.from_regex("[a-z0-9_-]{1,40}", fullmatch=True)


def written(content: bytes) -> str:
    return signing.PREFIX + base64.b64encode(content).decode()


def test_the_published_vector_is_signed_as_published() -> None:
    made = signing.headers(VECTOR_ID, VECTOR_TIME, VECTOR_BODY, [signing.read(SECRET)])
    assert made[signing.SIGNATURE_HEADER] == VECTOR
    assert made[signing.ID_HEADER] == VECTOR_ID
    assert made[signing.TIMESTAMP_HEADER] == str(VECTOR_TIME)


@given(KEYS, IDS, st.text())
def test_the_published_implementation_verifies_what_we_sign(
    content: bytes, message_id: str, text: str
) -> None:
    now = int(time.time())
    made = signing.headers(message_id, now, text.encode(), [signing.read(written(content))])
    Webhook(written(content)).verify(text, made, json_parse=False)


@given(KEYS, IDS, st.text())
def test_we_sign_to_the_byte_as_the_published_implementation_does(
    content: bytes, message_id: str, text: str
) -> None:
    theirs = Webhook(written(content)).sign(
        message_id, datetime.fromtimestamp(VECTOR_TIME, tz=UTC), text
    )
    made = signing.headers(message_id, VECTOR_TIME, text.encode(), [signing.SigningKey(content)])
    assert made[signing.SIGNATURE_HEADER] == theirs


@pytest.mark.parametrize("of", ["webhook-id", "webhook-timestamp", "body", "secret"])
def test_a_change_of_anything_signed_is_noticed(of: str) -> None:
    now, other = int(time.time()), written(b"x" * 24)
    made = signing.headers("msg_1", now, b"{}", [signing.read(SECRET)])
    changed = {"webhook-id": "msg_2", "webhook-timestamp": str(now + 1)}
    body = "{ }" if of == "body" else "{}"
    secret = other if of == "secret" else SECRET
    if of in changed:
        made |= {of: changed[of]}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, made)


def test_with_two_live_secrets_a_receiver_needs_either() -> None:
    new, old = written(b"n" * 32), written(b"o" * 32)
    now = int(time.time())
    made = signing.headers("msg_1", now, b"{}", [signing.read(new), signing.read(old)])
    for secret in (new, old):
        Webhook(secret).verify("{}", made)
    assert len(made[signing.SIGNATURE_HEADER].split(" ")) == 2
    assert len(made[signing.OWN_SIGNATURE_HEADER].split(",")) == 2


def test_without_a_key_nothing_looks_signed() -> None:
    assert set(signing.headers("msg_1", 1, b"{}", [])) == {"webhook-id", "webhook-timestamp"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "does not begin"),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "does not begin"),
        ("whsec_", "0 bytes"),
        ("whsec_not base64!", "not base64"),
        (written(b"x" * 23), "23 bytes"),
        (written(b"x" * 65), "65 bytes"),
        ("whsec_ä", "not base64"),
    ],
)
def test_a_secret_that_is_none_is_refused_without_repeating_it(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        signing.read(text)
    assert not text or text.removeprefix("whsec_") not in str(refused.value) or text == "whsec_"


def test_padding_and_space_around_a_secret_do_not_matter() -> None:
    padded = written(b"x" * 25)
    assert signing.read(f" {padded}\n") == signing.read(padded.rstrip("="))


def test_a_key_shows_up_in_no_repr() -> None:
    assert "MfKQ" not in repr(signing.read(SECRET))
    assert "content" not in repr(signing.read(SECRET))
