import base64
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from coxswain.errors import UserError
from coxswain.sidecar import cursors

AT = datetime(2026, 11, 29, 22, 0, 0, 123456, tzinfo=UTC)


def test_a_place_is_read_as_it_was_written() -> None:
    text = cursors.write(AT, UUID(int=7))
    assert cursors.read(text, cursors.instant, cursors.uuid) == (AT, str(UUID(int=7)))
    assert cursors.read(cursors.write("team", "deploy"), cursors.word, cursors.word) == (
        "team",
        "deploy",
    )


def test_an_instant_of_another_zone_is_the_same_instant() -> None:
    there = AT.astimezone(timezone(timedelta(hours=5)))
    assert cursors.read(cursors.write(there, "x"), cursors.instant, cursors.word)[0] == AT


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"2026-11-29T22:00:00Z",
        b"2026-11-29T22:00:00 x",
        b"0001-01-01T00:00:00+14:00 x",
        b"yesterday x",
        b"2026-11-29T22:00:00Z a\0b",
        b"\xff\xfe",
    ],
)
def test_what_was_not_written_so_is_refused_with_its_place(plain: bytes) -> None:
    text = base64.urlsafe_b64encode(plain).decode()
    with pytest.raises(UserError) as refused:
        cursors.read(text, cursors.instant, cursors.word)
    assert (refused.value.code, refused.value.field) == ("malformed", "query.cursor")


@pytest.mark.parametrize("text", ["!", "a", "=", "\N{PILE OF POO}"])
def test_what_is_no_text_of_ours_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        cursors.read(text, cursors.word, cursors.word)
