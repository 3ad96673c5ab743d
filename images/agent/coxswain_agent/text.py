"""Text that every store takes: no NUL, no half characters, and never longer than asked for."""

import hashlib


def clean(text: str) -> str:
    """Postgres keeps no NUL in JSON, and half of a surrogate pair is no text at all."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def shorten(text: str, most_bytes: int, mark: str = "") -> str:
    """The beginning that fits, with a mark if something was cut off."""
    data = clean(text).encode()
    if len(data) <= most_bytes:
        return data.decode()
    return data[: most_bytes - len(mark.encode())].decode(errors="ignore") + mark


def sha256(text: str) -> str:
    """The hash of a text as it is kept, in hexadecimal."""
    return hashlib.sha256(clean(text).encode()).hexdigest()
