"""The command that prints the event log: its calls, and its lines."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from coxswain.cli import log
from coxswain.client.models import EventView

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
KNOWN = {log.ADDRESS: "http://127.0.0.1:9", log.TOKEN: "t"}


def event(**fields: object) -> EventView:
    known = {"position": 7, "id": UUID(int=0), "at": NOW, "recorded_at": NOW, "actor": "operator"}
    return EventView.model_validate({**known, "type": "job.failed", **fields})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("90s", datetime(2026, 11, 30, 11, 58, 30, tzinfo=UTC)),
        ("15m", datetime(2026, 11, 30, 11, 45, tzinfo=UTC)),
        ("2h", datetime(2026, 11, 30, 10, tzinfo=UTC)),
        ("7d", datetime(2026, 11, 23, 12, tzinfo=UTC)),
        ("2026-11-30T10:00:00+02:00", datetime(2026, 11, 30, 8, tzinfo=UTC)),
    ],
)
def test_a_time_is_so_long_ago_or_an_instant(text: str, wanted: datetime) -> None:
    assert log.instant(text, NOW) == wanted


@pytest.mark.parametrize("text", ["", "2", "h", "-2h", "2 h", "2026-11-30T10:00:00", "999999999d"])
def test_what_is_no_time_is_a_wrong_call_that_names_it(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        log.main([f"--since={text}"], KNOWN)
    assert ended.value.code == 2
    assert f"--since: {text!r} is no time" in capsys.readouterr().err


@pytest.mark.parametrize("name", KNOWN)
def test_a_missing_address_or_token_is_named(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        log.main([], {**KNOWN, name: ""})
    assert ended.value.code == 2
    assert f"error: {name} must be set" in capsys.readouterr().err


def test_an_address_that_is_none_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        log.main([], {**KNOWN, log.ADDRESS: "coxswain.example"})
    assert ended.value.code == 2
    assert f"{log.ADDRESS}: url: 'coxswain.example' is no address" in capsys.readouterr().err


def test_a_line_says_when_where_what_about_whom_and_by_whom() -> None:
    told = event(workspace="team", kind="Job", name="j", attempt=2, details={"reason": "x"})
    assert log.line(told) == (
        '2026-11-30T12:00:00.000000Z 7 job.failed team/Job/j#2 operator {"reason": "x"}'
    )
    assert log.line(event()).endswith(" job.failed - operator {}")


def test_nothing_that_was_said_speaks_to_the_terminal() -> None:
    told = log.line(event(actor="user:\x1b[2J", details={"text": "\x1b]0;\u202e\n"}))
    assert told.isprintable()
    assert told.isascii() or "\ufffd" in told
