"""Where rows are about to change, read off the messages between a client and Postgres."""

from hypothesis import given
from hypothesis import strategies as st

from tests.faults.proxy.messages import Framer, Message, Session


def _message(tag: bytes, body: bytes) -> Message:
    raw = tag + (len(body) + 4).to_bytes(4, "big") + body
    return Message(tag, body, raw)


def _query(sql: str) -> Message:
    return _message(b"Q", sql.encode() + b"\0")


def _ready(state: bytes) -> Message:
    return _message(b"Z", state)


def _executed(session: Session, sql: str) -> str | None:
    session.asks(_message(b"P", b"s1\0" + sql.encode() + b"\0\0\0"))
    session.asks(_message(b"B", b"\0s1\0\0\0\0\0\0\0"))
    return session.asks(_message(b"E", b"\0\0\0\0\0"))


INSERT = "INSERT INTO runs (a) VALUES ($1)"


@given(st.lists(st.binary(max_size=40), max_size=6), st.integers(1, 7))
def test_messages_are_whole_however_they_come(bodies: list[bytes], size: int) -> None:
    first = (len(b"hello") + 4).to_bytes(4, "big") + b"hello"
    stream = first + b"".join(_message(b"Q", each).raw for each in bodies)
    framer = Framer(begins_untagged=True)
    found = [
        message
        for start in range(0, len(stream), size)
        for message in framer.feed(stream[start : start + size])
    ]
    assert [each.body for each in found] == [b"hello", *bodies]
    assert b"".join(each.raw for each in found) == stream


def test_a_change_outside_of_a_transaction_lasts_by_itself() -> None:
    assert _executed(Session(), INSERT) == INSERT


def test_a_change_within_a_transaction_lasts_with_its_commit() -> None:
    session = Session()
    assert session.asks(_query("BEGIN;")) is None
    session.answers(_ready(b"T"))
    assert _executed(session, INSERT) is None
    assert _executed(session, "UPDATE runs SET a = 1") is None
    assert session.asks(_query("COMMIT;")) == "; ".join([INSERT, "UPDATE runs SET a = 1"])


def test_what_was_rolled_back_does_not_come_with_the_next_commit() -> None:
    session = Session()
    session.answers(_ready(b"T"))
    _executed(session, INSERT)
    session.asks(_query("ROLLBACK;"))
    session.answers(_ready(b"I"))
    session.answers(_ready(b"T"))
    assert session.asks(_query("COMMIT;")) is None


def test_reading_is_no_change_though_it_locks() -> None:
    for sql in (
        "SELECT * FROM runs",
        "SELECT 1 FROM runs FOR UPDATE SKIP LOCKED",
        "SELECT 1 FROM runs FOR NO KEY UPDATE OF runs",
    ):
        assert _executed(Session(), sql) is None


def test_an_answer_ends_when_the_server_is_ready() -> None:
    session = Session()
    assert not session.answers(_message(b"C", b"INSERT 0 1\0"))
    assert session.answers(_ready(b"I"))
