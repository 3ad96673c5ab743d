"""The form of API keys, and what is kept of them. Pure, but for chance.

A key is ``cxk_``, its id and 256 random bits. What is kept is the plain SHA-256 of the whole: a slow hash
guards what people can remember against guesses, and nobody guesses 256 random bits; here it would only make
each request dear, those of strangers too.
"""

import hashlib
import re
import secrets
from typing import NamedTuple

PREFIX = "cxk_"
SECRET_BYTES = 32
_FORM = re.compile(rf"{PREFIX}(?P<id>[a-z0-9]{{16}})_[A-Za-z0-9_-]{{43}}")


class NewKey(NamedTuple):
    """A key as it is shown, once."""

    id: str
    text: str


def make(name: str | None = None) -> NewKey:
    """A new key; one of the same name has the same id, and another secret."""
    id_ = secrets.token_hex(8) if name is None else hashlib.sha256(name.encode()).hexdigest()[:16]
    return NewKey(id_, f"{PREFIX}{id_}_{secrets.token_urlsafe(SECRET_BYTES)}")


def id_of(text: str) -> str | None:
    """The id of a key; None where the text has not the form of one."""
    found = _FORM.fullmatch(text)
    return None if found is None else found["id"]


def hash_of(text: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(text.encode()).digest()
