"""What a TLS client says first, made by the real library."""

import ssl


def hello(server_name: str | None, *, newest: bool = True) -> bytes:
    """A whole ClientHello."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if not newest:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=server_name)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("a handshake needs an answer")


def in_records(data: bytes, size: int) -> bytes:
    """The same hello, cut into records of this size."""
    body = data[5:]
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(data[:3] + len(part).to_bytes(2, "big") + part for part in parts)


def with_extension(data: bytes, kind: int, content: bytes) -> bytes:
    """The same hello with one more extension at its end."""
    body = data[9:]
    place = 34
    place += 1 + body[place]
    place += 2 + int.from_bytes(body[place : place + 2], "big")
    place += 1 + body[place]
    extra = kind.to_bytes(2, "big") + len(content).to_bytes(2, "big") + content
    extensions = body[place + 2 :] + extra
    whole = body[:place] + len(extensions).to_bytes(2, "big") + extensions
    message = b"\x01" + len(whole).to_bytes(3, "big") + whole
    return data[:3] + len(message).to_bytes(2, "big") + message
