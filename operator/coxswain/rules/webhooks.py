"""Whether a request from outside is who it says it is: signatures and times of three schemes. Pure.

StandardWebhooks  webhook-id, webhook-timestamp, webhook-signature: id, time and body are signed
GitHub            X-Hub-Signature-256, X-GitHub-Delivery: the body alone is signed
HMAC              a header of the Schedule's choice: the body alone is signed

Where no time is signed, nothing but memory tells a repeat: of the id, and of the body, since an id
that is not signed proves nothing.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from coxswain.api import payload
from coxswain.api.triggers import SIGNATURE_HEADER, Remembered, Scheme, Webhook
from coxswain.rules import schemas, signing
from coxswain.rules.signing import SigningKey

FEWEST_BYTES = 16
MOST_BYTES = 512
HEADER_CHARACTERS = 4096
SIGNATURES = 16
ID_SECONDS = 604_800
"""For how long an id is known: senders repeat what was not answered for days."""

GITHUB_SIGNATURE = "x-hub-signature-256"
GITHUB_DELIVERY = "x-github-delivery"
_PREFIX = "sha256="
# A full stop parts id, time and body in what is signed: it must not stand in an id.
_ID = re.compile(r"[!-\-/-~]{1,256}")
_TIME = re.compile(r"[0-9]{1,12}")

Headers = Iterable[tuple[str, str]]


class Unverified(StrEnum):
    """Why nobody knows where a request is from."""

    HEADER = "header"
    """A header of the scheme is missing, stands twice, or is not as it should be."""
    SIGNATURE = "signature"
    """No key makes this signature."""


@dataclass(frozen=True)
class Verified:
    """A request that was signed with a key of ours."""

    delivery_id: str
    """How the sender names it; the digest of the body where it does not."""
    remember: tuple[Remembered, ...]
    is_in_time: bool
    """Whether the signed time is near enough; true where none is signed."""


def key(scheme: Scheme, text: str) -> SigningKey:
    """A key from its written form. Raises ValueError, which says what is wrong and not the text."""
    if scheme == "StandardWebhooks":
        return signing.read(text)
    content = text.strip().encode()
    if not FEWEST_BYTES <= len(content) <= MOST_BYTES:
        raise ValueError(f"it has {len(content)} bytes, not {FEWEST_BYTES} to {MOST_BYTES}")
    return SigningKey(content)


def verify(
    hook: Webhook, headers: Headers, body: bytes, keys: Sequence[SigningKey], now: float
) -> Verified | Unverified:
    """Judge one request; ``now`` is in seconds since 1970. Any of the keys will do."""
    given = [(name.lower(), value) for name, value in headers]
    match hook.scheme:
        case "StandardWebhooks":
            return _standard(hook, given, body, keys, now)
        case "GitHub":
            return _github(hook, given, body, keys)
        case "HMAC":
            return _plain(hook, given, body, keys)


@lru_cache(maxsize=64)
def schema(text: str) -> dict[str, Any]:
    """A body schema. Raises UserError that names the place in spec.webhook.bodySchema."""
    field = "spec.webhook.bodySchema"
    found = payload.read_object(text, most_bytes=schemas.SCHEMA_BYTES, field=field)
    schemas.check(found, field)
    return found


def digest(body: bytes) -> str:
    """A body in short."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _standard(
    hook: Webhook, given: Headers, body: bytes, keys: Sequence[SigningKey], now: float
) -> Verified | Unverified:
    message_id = _one(given, signing.ID_HEADER, _ID)
    at = _one(given, signing.TIMESTAMP_HEADER, _TIME)
    text = _one(given, signing.SIGNATURE_HEADER)
    if message_id is None or at is None or text is None:
        return Unverified.HEADER
    parts = text.split(" ")
    if len(parts) > SIGNATURES:
        return Unverified.HEADER
    # Other versions may stand beside ours; they are for others.
    made = [_base64(part.removeprefix("v1,")) for part in parts if part.startswith("v1,")]
    if not _is_signed(f"{message_id}.{at}.".encode() + body, keys, made):
        return Unverified.SIGNATURE
    window = hook.replay_window_seconds
    # A time ahead by the window is in time for twice as long.
    remember = Remembered(f"id:{message_id}", max(ID_SECONDS, 2 * window))
    return Verified(message_id, (remember,), abs(now - int(at)) <= window)


def _github(
    hook: Webhook, given: Headers, body: bytes, keys: Sequence[SigningKey]
) -> Verified | Unverified:
    text, delivery = _one(given, GITHUB_SIGNATURE), _one(given, GITHUB_DELIVERY, _ID)
    if text is None or delivery is None or not text.startswith(_PREFIX):
        return Unverified.HEADER
    if not _is_signed(body, keys, [_hexadecimal(text.removeprefix(_PREFIX))]):
        return Unverified.SIGNATURE
    known = Remembered(f"id:{delivery}", max(ID_SECONDS, hook.replay_window_seconds))
    return Verified(delivery, (_of_body(hook, body), known), is_in_time=True)


def _plain(
    hook: Webhook, given: Headers, body: bytes, keys: Sequence[SigningKey]
) -> Verified | Unverified:
    text = _one(given, (hook.signature_header or SIGNATURE_HEADER).lower())
    if text is None:
        return Unverified.HEADER
    bare = text.removeprefix(_PREFIX)
    if not _is_signed(body, keys, [_hexadecimal(bare), _base64(bare)]):
        return Unverified.SIGNATURE
    return Verified(digest(body), (_of_body(hook, body),), is_in_time=True)


def _of_body(hook: Webhook, body: bytes) -> Remembered:
    return Remembered(f"body:{digest(body)}", hook.replay_window_seconds)


def _is_signed(signed: bytes, keys: Sequence[SigningKey], given: Sequence[bytes | None]) -> bool:
    """Whether any key makes any of these; all are compared, each in constant time."""
    wanted = [hmac.digest(each.content, signed, hashlib.sha256) for each in keys]
    found = [
        hmac.compare_digest(ours, theirs)
        for theirs in given
        if theirs is not None
        for ours in wanted
    ]
    return any(found)


def _one(given: Headers, name: str, form: re.Pattern[str] | None = None) -> str | None:
    """The value of a header that stands once, within bounds and in its form; else None."""
    values = [value for each, value in given if each == name]
    if len(values) != 1 or len(values[0]) > HEADER_CHARACTERS:
        return None
    return values[0] if form is None or form.fullmatch(values[0]) else None


def _hexadecimal(text: str) -> bytes | None:
    try:
        return binascii.unhexlify(text)
    except ValueError:
        return None


def _base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None
