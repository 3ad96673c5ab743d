"""The last words of processes, threads and tasks: one line each, with the operation that failed."""

import asyncio
import gc
import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from coxswain.store import uuid7
from coxswain.telemetry import crashes, logs


@pytest.fixture(autouse=True)
def out() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = sys.excepthook, threading.excepthook, list(root.handlers), root.level
    written = io.StringIO()
    logs.configure("json", "info", written)
    yield written
    logging.captureWarnings(capture=False)
    sys.excepthook, threading.excepthook, root.handlers[:], root.level = before
    structlog.reset_defaults()


def line(out: io.StringIO) -> dict[str, Any]:
    (text,) = out.getvalue().splitlines()
    found: dict[str, Any] = json.loads(text)
    return found


def of_ours() -> Exception:
    """An error that came through a function of the platform, into a library below it."""
    try:
        uuid7.derived("not a time")  # type: ignore[arg-type]  # that is the error
    except Exception as error:  # noqa: BLE001 - any
        return error
    raise AssertionError("it was taken")


def test_the_operation_is_the_innermost_function_of_ours() -> None:
    assert crashes.operation(of_ours()).startswith("coxswain.store.uuid7.")
    assert crashes.operation(ExceptionGroup("many", [of_ours()])).startswith(
        "coxswain.store.uuid7."
    )


def test_an_error_from_nowhere_has_the_operation_that_is_given() -> None:
    assert crashes.operation(RuntimeError("broken"), "sweep") == "sweep"
    assert crashes.operation(None) == "unknown"


def test_the_end_of_a_process_names_its_operation(out: io.StringIO) -> None:
    error = of_ours()
    sys.excepthook(type(error), error, error.__traceback__)
    said = line(out)
    assert said["level"] == "critical"
    assert said["operation"].startswith("coxswain.store.uuid7.")
    assert "Traceback" in said["exception"]


def test_the_end_of_a_thread_is_told_with_its_name(out: io.StringIO) -> None:
    def work() -> None:
        raise RuntimeError("broken")

    thread = threading.Thread(target=work, name="watchdog")
    thread.start()
    thread.join()
    said = line(out)
    assert (said["thread"], said["operation"]) == ("watchdog", "watchdog")
    assert "RuntimeError: broken" in said["exception"]


def test_a_task_that_nobody_waits_for_is_told_of_with_its_function(out: io.StringIO) -> None:
    async def forgotten() -> None:
        raise RuntimeError("broken")

    async def forget() -> None:
        task = asyncio.create_task(forgotten())
        await asyncio.wait({task})
        del task
        gc.collect()

    crashes.run(forget())
    said = line(out)
    assert said["level"] == "error"
    assert said["operation"].endswith("forgotten")
    assert "RuntimeError: broken" in said["exception"]
    assert said["what"] == "Task exception was never retrieved"
