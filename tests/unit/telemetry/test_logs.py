import io
import json
import logging
import sys
import threading
from collections.abc import Iterator

import pytest
import structlog

from coxswain.telemetry import logs
from coxswain.telemetry.logs import LogFormat

FORMATS: list[LogFormat] = ["json", "pretty", "compact"]


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    before = sys.excepthook, threading.excepthook, list(root.handlers), root.level
    yield
    logging.captureWarnings(capture=False)
    sys.excepthook, threading.excepthook, root.handlers[:], root.level = before
    structlog.reset_defaults()


def test_a_json_line_carries_sentence_fields_and_what_is_bound() -> None:
    out = io.StringIO()
    logs.configure("json", "info", out)
    with logs.bound(request_id="r-1"):
        logs.get("coxswain.test").info("pod created", job="first")
    line = json.loads(out.getvalue())
    assert line["event"] == "pod created"
    assert (line["job"], line["request_id"], line["level"]) == ("first", "r-1", "info")


def test_a_library_line_has_the_same_form() -> None:
    out = io.StringIO()
    logs.configure("json", "info", out)
    logging.getLogger("somebody").warning("disk %s", "full")
    line = json.loads(out.getvalue())
    assert (line["event"], line["logger"], line["level"]) == ("disk full", "somebody", "warning")


@pytest.mark.parametrize("log_format", FORMATS)
def test_every_format_shows_sentence_and_fields(log_format: LogFormat) -> None:
    out = io.StringIO()
    logs.configure(log_format, "info", out)
    logs.get("coxswain.test").info("pod created", job="first")
    assert "pod created" in out.getvalue()
    assert "first" in out.getvalue()


def test_lines_below_the_level_are_not_written() -> None:
    out = io.StringIO()
    logs.configure("json", "warning", out)
    logs.get("coxswain.test").info("quiet")
    assert out.getvalue() == ""


def test_a_crash_is_logged_with_its_trace_before_the_end() -> None:
    out = io.StringIO()
    logs.configure("json", "info", out)
    sys.excepthook(RuntimeError, RuntimeError("broken"), None)
    line = json.loads(out.getvalue())
    assert line["level"] == "critical"
    assert "RuntimeError: broken" in line["exception"]


@pytest.mark.parametrize("log_format", FORMATS)
def test_a_trace_never_shows_the_values_of_variables(log_format: LogFormat) -> None:
    out = io.StringIO()
    logs.configure(log_format, "info", out)
    try:
        _fail("-".join(("canary", "value")))
    except RuntimeError:
        logs.get("coxswain.test").exception("it failed")
    assert "RuntimeError" in out.getvalue()
    assert "canary-value" not in out.getvalue()


def _fail(password: str) -> None:
    raise RuntimeError("broken")
