"""The messages between a client and Postgres, as far as it takes to know when rows are about to be changed.

    https://www.postgresql.org/docs/current/protocol-message-formats.html

Pure: bytes in, messages out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

_CHANGES = re.compile(
    r"\bINSERT\s+INTO\b|(?<!FOR )(?<!KEY )(?<!DO )\bUPDATE\s+\w+|\bDELETE\s+FROM\b"
    r"|\bpg_notify\b|\bappend_events\b",
    re.IGNORECASE,
)
_LENGTH = 4


class Message(NamedTuple):
    """A message whole, with its tag, or without one for the first of a session."""

    tag: bytes
    body: bytes
    raw: bytes


class Framer:
    """Cuts a stream into messages. A client's first one has no tag, and all others have one byte."""

    def __init__(self, *, begins_untagged: bool) -> None:
        self._rest = b""
        self._is_untagged = begins_untagged

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that are whole by now."""
        self._rest += data
        while True:
            tagged = 0 if self._is_untagged else 1
            if len(self._rest) < tagged + _LENGTH:
                return
            length = int.from_bytes(self._rest[tagged : tagged + _LENGTH], "big")
            end = tagged + length
            if len(self._rest) < end:
                return
            raw, self._rest = self._rest[:end], self._rest[end:]
            self._is_untagged = False
            yield Message(raw[:tagged], raw[tagged + _LENGTH :], raw)


@dataclass
class Session:
    """What a session has prepared and changed; tells of each message whether it makes a change last."""

    _statements: dict[bytes, str] = field(default_factory=dict)
    _portals: dict[bytes, str] = field(default_factory=dict)
    _changes: list[str] = field(default_factory=list)
    _is_in_transaction: bool = False

    def asks(self, message: Message) -> str | None:
        """A message of the client. The SQL of the changes that it would make last; None: none."""
        match message.tag:
            case b"P":
                name, text = message.body.split(b"\0")[:2]
                self._statements[name] = text.decode(errors="replace")
            case b"B":
                portal, name = message.body.split(b"\0")[:2]
                self._portals[portal] = self._statements.get(name, "")
            case b"E":
                return self._executes(self._portals.get(message.body.split(b"\0")[0], ""))
            case b"Q":
                sql = message.body.rstrip(b"\0").decode(errors="replace")
                if sql.strip().rstrip(";").upper() in ("COMMIT", "END"):
                    return self._lasting()
                return self._executes(sql)
            case _:
                pass
        return None

    def answers(self, message: Message) -> bool:
        """A message of the server; whether it is the one that ends an answer."""
        if message.tag != b"Z":
            return False
        self._is_in_transaction = message.body[:1] != b"I"
        if not self._is_in_transaction:
            # Committed, or rolled back.
            self._changes.clear()
        return True

    def _executes(self, sql: str) -> str | None:
        if _CHANGES.search(sql):
            self._changes.append(sql)
        return None if self._is_in_transaction else self._lasting()

    def _lasting(self) -> str | None:
        if not self._changes:
            return None
        found = "; ".join(self._changes)
        self._changes.clear()
        return found
