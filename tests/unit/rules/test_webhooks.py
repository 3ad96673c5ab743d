"""Whose a request is: the published implementation, GitHub's own example, and everything near them."""

import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Published

from coxswain.api.meta import LocalReference
from coxswain.api.triggers import Scheme, Webhook
from coxswain.rules import signing, webhooks
from coxswain.rules.signing import SigningKey
from coxswain.rules.webhooks import Headers, Unverified, Verified

NOW = 1_800_000_000
BODY = b'{"n":1}'
IDS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
KEYS = st.binary(min_size=24, max_size=64)

# The values of GitHub's page on validating deliveries.
GITHUB_SECRET = "It's a Secret to Everybody"
GITHUB_BODY = b"Hello, World!"
GITHUB_SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def hook(scheme: Scheme = "StandardWebhooks", **fields: object) -> Webhook:
    return Webhook.model_validate({"scheme": scheme, "secretRef": {"name": "hooks"}, **fields})


def written(content: bytes) -> str:
    return signing.PREFIX + base64.b64encode(content).decode()


def judged(
    wanted: Webhook, headers: Headers, *keys: str, body: bytes = BODY, now: float = NOW
) -> Verified | Unverified:
    read = [webhooks.key(wanted.scheme, each) for each in keys]
    return webhooks.verify(wanted, headers, body, read, now)


def signed(secret: bytes, message_id: str = "msg_1", at: int = NOW) -> dict[str, str]:
    """Headers as our own sender makes them."""
    return signing.headers(message_id, at, BODY, [SigningKey(secret)])


def plain(secret: str, body: bytes = BODY) -> bytes:
    return hmac.digest(secret.encode(), body, hashlib.sha256)


def test_the_reference_names_the_secret() -> None:
    assert hook().secret_ref == LocalReference(name="hooks")


@given(KEYS, IDS, st.text())
def test_what_the_published_implementation_signs_is_verified(
    content: bytes, message_id: str, text: str
) -> None:
    at = datetime.fromtimestamp(NOW, tz=UTC)
    signature = Published(written(content)).sign(message_id, at, text)
    headers = {
        "Webhook-Id": message_id,
        "Webhook-Timestamp": str(NOW),
        "Webhook-Signature": signature,
    }
    found = judged(hook(), headers.items(), written(content), body=text.encode())
    assert isinstance(found, Verified)
    assert (found.delivery_id, found.is_in_time) == (message_id, True)


@given(KEYS, KEYS, IDS, st.binary(max_size=64))
def test_without_the_key_nothing_is_verified(
    ours: bytes, theirs: bytes, message_id: str, body: bytes
) -> None:
    made = signing.headers(message_id, NOW, body, [SigningKey(theirs)])
    found = judged(hook(), made.items(), written(ours), body=body)
    # To HMAC, zeros at the end of a short key are no difference.
    assert isinstance(found, Verified) == (ours.rstrip(b"\0") == theirs.rstrip(b"\0"))


@given(st.integers(-10_000, 10_000), st.integers(10, 5_000))
def test_a_signed_time_is_good_within_the_window_both_ways_and_the_published_one_agrees_for_300_seconds(
    off: int, window: int
) -> None:
    found = judged(
        hook(replayWindowSeconds=window),
        signed(b"k" * 24, at=NOW + off).items(),
        written(b"k" * 24),
    )
    assert isinstance(found, Verified)
    assert found.is_in_time == (abs(off) <= window)


def test_our_default_window_is_the_published_implementations() -> None:
    now = int(time.time())
    made = signed(b"k" * 24, at=now - 290)
    Published(written(b"k" * 24)).verify(BODY, made)
    found = judged(hook(), made.items(), written(b"k" * 24), now=now)
    assert isinstance(found, Verified)
    assert found.is_in_time


@pytest.mark.parametrize("of", ["webhook-id", "webhook-timestamp", "body", "webhook-signature"])
def test_a_change_of_anything_signed_is_noticed(of: str) -> None:
    made = signed(b"k" * 24)
    changes = {"webhook-id": "msg_2", "webhook-timestamp": str(NOW + 1)}
    changes["webhook-signature"] = signed(b"x" * 24)["webhook-signature"]
    headers = made if of == "body" else made | {of: changes[of]}
    body = b'{"n":2}' if of == "body" else BODY
    found = judged(hook(), headers.items(), written(b"k" * 24), body=body)
    assert found is Unverified.SIGNATURE


@pytest.mark.parametrize("scheme", ["StandardWebhooks", "GitHub", "HMAC"])
def test_while_a_key_is_replaced_either_is_good_and_a_third_is_not(scheme: Scheme) -> None:
    def headers(secret: bytes) -> dict[str, str]:
        bare = plain(written(secret)).hex()
        by_scheme = {
            "StandardWebhooks": signed(secret),
            "GitHub": {"X-Hub-Signature-256": f"sha256={bare}", "X-GitHub-Delivery": "1"},
            "HMAC": {"X-Signature-256": bare},
        }
        return by_scheme[scheme]

    new, old, other = b"n" * 24, b"o" * 24, b"x" * 24
    both = written(new), written(old)
    assert isinstance(judged(hook(scheme), headers(new).items(), *both), Verified)
    assert isinstance(judged(hook(scheme), headers(old).items(), *both), Verified)
    assert judged(hook(scheme), headers(other).items(), *both) is Unverified.SIGNATURE


def test_githubs_own_example_is_verified() -> None:
    headers = {"X-Hub-Signature-256": GITHUB_SIGNATURE, "X-GitHub-Delivery": "72d3162e-cc78"}
    found = judged(hook("GitHub"), headers.items(), GITHUB_SECRET, body=GITHUB_BODY)
    assert isinstance(found, Verified)
    assert found.delivery_id == "72d3162e-cc78"


def test_a_delivery_of_github_is_known_by_its_id_and_by_its_body_since_the_id_is_not_signed() -> (
    None
):
    headers = {"X-Hub-Signature-256": GITHUB_SIGNATURE, "X-GitHub-Delivery": "72d3162e-cc78"}
    found = judged(
        hook("GitHub", replayWindowSeconds=600), headers.items(), GITHUB_SECRET, body=GITHUB_BODY
    )
    assert isinstance(found, Verified)
    assert {each.key: each.seconds for each in found.remember} == {
        "id:72d3162e-cc78": webhooks.ID_SECONDS,
        f"body:{webhooks.digest(GITHUB_BODY)}": 600,
    }


@pytest.mark.parametrize("form", ["hex", "HEX", "sha256=hex", "base64", "sha256=base64"])
def test_a_plain_signature_may_be_written_in_any_usual_form(form: str) -> None:
    secret = "a secret of some length"
    raw = plain(secret)
    forms = {
        "hex": raw.hex(),
        "HEX": raw.hex().upper(),
        "sha256=hex": f"sha256={raw.hex()}",
        "base64": base64.b64encode(raw).decode(),
        "sha256=base64": f"sha256={base64.b64encode(raw).decode()}",
    }
    wanted = hook("HMAC", signatureHeader="Linear-Signature")
    found = judged(wanted, {"linear-signature": forms[form]}.items(), secret)
    assert isinstance(found, Verified)
    assert found.delivery_id == webhooks.digest(BODY)
    assert [each.key for each in found.remember] == [f"body:{webhooks.digest(BODY)}"]


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_every_header_of_standard_webhooks_must_be_there_once(missing: str) -> None:
    made = signed(b"k" * 24)
    less = [pair for pair in made.items() if pair[0] != missing]
    twice = [*made.items(), (missing.upper(), made[missing])]
    for headers in (less, twice):
        assert judged(hook(), headers, written(b"k" * 24)) is Unverified.HEADER


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "a.b"},
        {"webhook-id": ""},
        {"webhook-id": "x" * 257},
        {"webhook-id": "two words"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "1e9"},
        {"webhook-timestamp": "٣"},
        {"webhook-timestamp": "9" * 13},
        {"webhook-signature": " ".join(["v1,AAAA"] * 17)},
        {"webhook-signature": "v1," + "A" * 5000},
    ],
    ids=str,
)
def test_a_header_out_of_its_form_or_bounds_is_refused(change: dict[str, str]) -> None:
    headers = signed(b"k" * 24) | change
    assert judged(hook(), headers.items(), written(b"k" * 24)) is Unverified.HEADER


@pytest.mark.parametrize("text", ["", "v1,", "v2,AAAA", "v1,not base64", "v1a,AAAA", "AAAA"])
def test_what_is_no_signature_of_version_1_signs_nothing(text: str) -> None:
    headers = signed(b"k" * 24) | {"webhook-signature": text}
    assert judged(hook(), headers.items(), written(b"k" * 24)) is Unverified.SIGNATURE


def test_a_signature_among_others_of_other_versions_counts() -> None:
    made = signed(b"k" * 24)
    made["webhook-signature"] = f"v1a,AAAA {made['webhook-signature']} v2,x"
    assert isinstance(judged(hook(), made.items(), written(b"k" * 24)), Verified)


@given(st.text(max_size=80), st.binary(max_size=80))
def test_no_text_at_all_makes_the_judge_fail_or_agree(text: str, body: bytes) -> None:
    for scheme, name in (
        ("GitHub", "X-Hub-Signature-256"),
        ("HMAC", "X-Signature-256"),
        ("StandardWebhooks", "webhook-signature"),
    ):
        headers = signed(b"k" * 24) | {"X-GitHub-Delivery": "1", name: text}
        found = judged(
            hook(scheme),  # type: ignore[arg-type]  # one of the three
            headers.items(),
            written(b"k" * 24),
            body=body,
        )
        assert isinstance(found, Unverified)


def test_without_keys_nothing_is_verified() -> None:
    assert judged(hook(), signed(b"k" * 24).items()) is Unverified.SIGNATURE


def test_an_id_is_known_for_as_long_as_its_time_can_be_good() -> None:
    wanted = hook(replayWindowSeconds=604_800)
    found = judged(wanted, signed(b"k" * 24).items(), written(b"k" * 24))
    assert isinstance(found, Verified)
    (known,) = found.remember
    assert known.seconds == 2 * 604_800


@pytest.mark.parametrize(
    ("scheme", "text"), [("GitHub", "short"), ("HMAC", "x" * 513), ("StandardWebhooks", "x" * 40)]
)
def test_a_key_out_of_bounds_is_refused_without_repeating_it(scheme: Scheme, text: str) -> None:
    with pytest.raises(ValueError, match=r"bytes|begin") as refused:
        webhooks.key(scheme, text)
    assert text not in str(refused.value)


def test_a_signature_header_is_for_the_plain_scheme_alone() -> None:
    with pytest.raises(ValueError, match="signatureHeader is for the scheme HMAC"):
        hook("GitHub", signatureHeader="X-Mine")
