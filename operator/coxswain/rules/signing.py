"""Signatures of what leaves the platform: Standard Webhooks, and the shorter form in hexadecimal.

Both are HMAC-SHA-256 with the bytes behind a ``whsec_`` secret. Two secrets may live at once while
one takes the place of the other; then there are two signatures, the current one's first.
``docs/callbacks.md`` is the page for people.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

PREFIX = "whsec_"
FEWEST_BYTES = 24
MOST_BYTES = 64

ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
OWN_TIMESTAMP_HEADER = "x-coxswain-timestamp"
OWN_SIGNATURE_HEADER = "x-coxswain-signature"


@dataclass(frozen=True)
class SigningKey:
    """The bytes of one secret; they appear in no repr."""

    content: bytes = field(repr=False)


def read(text: str) -> SigningKey:
    """A key from its written form. Raises ValueError, which says what is wrong and not the text."""
    text = text.strip()
    if not text.startswith(PREFIX):
        raise ValueError(f"it does not begin with {PREFIX}")
    bare = text.removeprefix(PREFIX).rstrip("=")
    try:
        content = base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"what follows {PREFIX} is not base64") from None
    if not FEWEST_BYTES <= len(content) <= MOST_BYTES:
        raise ValueError(f"it holds {len(content)} bytes, not {FEWEST_BYTES} to {MOST_BYTES}")
    return SigningKey(content)


def headers(
    message_id: str, timestamp: int, body: bytes, keys: Sequence[SigningKey]
) -> dict[str, str]:
    """All headers of one message; without keys only its id and time.

    ``timestamp`` is when it is sent, in seconds since 1970: a repeat is signed anew.
    """
    found = {ID_HEADER: message_id, TIMESTAMP_HEADER: str(timestamp)}
    if not keys:
        return found
    standard = [_standard(message_id, timestamp, body, key) for key in keys]
    return found | {
        SIGNATURE_HEADER: " ".join(standard),
        OWN_TIMESTAMP_HEADER: str(timestamp),
        OWN_SIGNATURE_HEADER: ",".join(_own(timestamp, body, key) for key in keys),
    }


def _standard(message_id: str, timestamp: int, body: bytes, key: SigningKey) -> str:
    digest = _digest(key, f"{message_id}.{timestamp}.".encode() + body)
    return f"v1,{base64.b64encode(digest).decode()}"


def _own(timestamp: int, body: bytes, key: SigningKey) -> str:
    return f"v1={_digest(key, f'{timestamp}.'.encode() + body).hex()}"


def _digest(key: SigningKey, signed: bytes) -> bytes:
    return hmac.digest(key.content, signed, hashlib.sha256)
